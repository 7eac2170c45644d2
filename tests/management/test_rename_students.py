from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import IdentityProvider, Learner, LedgerEntry
from tests.factories.enrollment import (
    IdentityProviderFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    SchoolFactory,
    UserSocialAuthFactory,
)

pytestmark = pytest.mark.django_db

ORIGIN = Origin(source=Source.COMMAND.value, reason="new IDs")


@pytest.fixture
def provider() -> IdentityProvider:
    """The new identity provider of a school that has an old one."""
    school = SchoolFactory()
    IdentityProviderFactory(slug="uni-a-old", school=school)
    new: IdentityProvider = IdentityProviderFactory(slug="uni-a-new", school=school)
    return new


def rename(provider: IdentityProvider, *pairs: tuple[str, str], **options: Any) -> list[str]:
    renamings = [api.Renaming(*pair) for pair in pairs]
    return [
        word.value for word in api.rename_students(provider=provider, renamings=renamings, origin=ORIGIN, **options)
    ]


class TestRenaming:
    def test_keeps_the_learner_and_what_is_promised(self, provider: IdentityProvider) -> None:
        learner = LearnerFactory(school=provider.school, student_key="S-1")

        assert rename(provider, ("s-1", "Sasha@Uni")) == ["renamed"]

        learner.refresh_from_db()
        assert (learner.student_key, learner.student_key_normalized) == ("Sasha@Uni", "sasha@uni")
        entry = LedgerEntry.objects.get()
        assert (entry.kind, entry.before, entry.after, entry.reason) == ("student_key", "S-1", "Sasha@Uni", "new IDs")

    def test_lets_people_sign_on_to_their_account_by_the_new_provider(self, provider: IdentityProvider) -> None:
        learner = LinkedLearnerFactory(school=provider.school, student_key="S-1")
        UserSocialAuthFactory(user=learner.user, uid="uni-a-old:S-1")

        rename(provider, ("S-1", "sasha"))

        kept = UserSocialAuth.objects.filter(user=learner.user).values_list("uid", flat=True)
        assert list(kept) == ["uni-a-new:sasha"], "the old ID may be another student's from now on"

    def test_gives_no_identity_on_weaker_evidence(self, provider: IdentityProvider) -> None:
        LinkedLearnerFactory(school=provider.school, student_key="S-1", link_how="email")

        assert rename(provider, ("S-1", "sasha")) == ["renamed"]
        assert not UserSocialAuth.objects.exists()

    def test_again_changes_nothing(self, provider: IdentityProvider) -> None:
        LinkedLearnerFactory(school=provider.school, student_key="S-1")

        assert rename(provider, ("S-1", "sasha")) == ["renamed"]
        assert rename(provider, ("S-1", "sasha")) == ["unchanged"]
        assert LedgerEntry.objects.count() == UserSocialAuth.objects.count() == 1

    def test_of_the_spelling_alone(self, provider: IdentityProvider) -> None:
        LearnerFactory(school=provider.school, student_key="s-1")

        assert rename(provider, ("s-1", "S-1")) == ["renamed"]
        assert Learner.objects.get().student_key == "S-1"
        assert rename(provider, ("s-1", "S-1")) == ["unchanged"]

    def test_leaves_what_cannot_be_done(self, provider: IdentityProvider) -> None:
        for key in ("S-1", "S-2", "S-3"):
            LearnerFactory(school=provider.school, student_key=key)
        LearnerFactory(student_key="S-9")

        words = rename(
            provider,
            ("S-1", "s-2"),  # somebody else's
            ("S-9", "kim"),  # at another school
            ("S-3", ""),
            ("", "kim"),
            ("S-3", "x" * 256),
        )

        assert words == ["taken", "unknown", "invalid", "invalid", "invalid"]
        assert set(Learner.objects.values_list("student_key", flat=True)) == {"S-1", "S-2", "S-3", "S-9"}

    def test_refuses_rows_that_speak_of_one_id_twice(self, provider: IdentityProvider) -> None:
        """Chains and swaps depend on an order that a table doesn't have."""
        for key in ("a", "b", "c", "d"):
            LearnerFactory(school=provider.school, student_key=key)

        assert rename(provider, ("a", "b"), ("b", "x"), ("c", "y"), ("d", "Y")) == ["invalid"] * 4

    def test_as_a_dry_run_writes_nothing(self, provider: IdentityProvider) -> None:
        LinkedLearnerFactory(school=provider.school, student_key="S-1")

        assert rename(provider, ("S-1", "sasha"), dry_run=True) == ["renamed"]
        assert Learner.objects.get().student_key == "S-1"
        assert not LedgerEntry.objects.exists()
        assert not UserSocialAuth.objects.exists()

    def test_takes_a_constant_number_of_statements(self, provider: IdentityProvider) -> None:
        def statements(first: int, count: int) -> int:
            numbers = range(first, first + count)
            for number in numbers:
                LinkedLearnerFactory(school=provider.school, student_key=f"S-{number}")
            with CaptureQueriesContext(connection) as captured:
                assert set(rename(provider, *((f"S-{number}", f"new-{number}") for number in numbers))) == {"renamed"}
            return len(captured)

        assert statements(0, 3) == statements(10, 100)


class TestTheCommand:
    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[str], str]:
        def to_file(text: str) -> str:
            path = tmp_path / "ids.csv"
            path.write_bytes(text.encode("utf-8-sig"))
            return str(path)

        return to_file

    def run(self, path: str, **options: Any) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("rename_students", path, identity_provider="uni-a-new", stdout=out, stderr=err, **options)
        return out.getvalue(), err.getvalue()

    def test_renames(self, provider: IdentityProvider, write: Callable[[str], str]) -> None:
        LearnerFactory(school=provider.school, student_key="S-1")
        path = write("Name, OLD_STUDENT_KEY ,new_student_key\r\nx,S-1,sasha\r\n")

        out, err = self.run(path, reason="new IDs")

        assert (out, err) == ("1 renamed\n", "")
        assert LedgerEntry.objects.get().reason == "new IDs"
        assert self.run(path)[0] == "1 had this ID already\n"

    def test_says_which_lines_to_look_at_and_names_nobody(
        self, provider: IdentityProvider, write: Callable[[str], str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        LearnerFactory(school=provider.school, student_key="S-1")
        path = write("old_student_key,new_student_key\nS-1,sasha\nS-2,kim\n")
        out, err = StringIO(), StringIO()

        with pytest.raises(CommandError, match="1 of 2 rows"):
            call_command("rename_students", path, identity_provider="uni-a-new", stdout=out, stderr=err)

        assert "line 3: nobody" in err.getvalue()
        assert "S-2" not in out.getvalue() + err.getvalue()
        assert Learner.objects.filter(student_key="sasha").exists(), "the others are done"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "lacks the columns"),
            ("a,b\n1,2\n", "lacks the columns old_student_key, new_student_key"),
            ("S-7001;S-7002\n", "Line 1 has"),
            ("old_student_key,new_student_key\nS-7001,S-7002,S-7003\n", "Line 2 cannot be read. The line has 3 fields"),
            ('old_student_key,new_student_key\n"S-7001"x,S-7002\n', "Line 2 cannot be read. A quotation mark"),
            ('old_student_key,new_student_key\n"S-7001,S-7002\n', "line 2 is never closed"),
        ],
    )
    def test_of_another_file(
        self, provider: IdentityProvider, write: Callable[[str], str], text: str, told: str
    ) -> None:
        with pytest.raises(CommandError, match=told) as failure:
            self.run(write(text))
        assert "S-700" not in str(failure.value)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_of_any_common_form(
        self, provider: IdentityProvider, tmp_path: Path, delimiter: str, encoding: str
    ) -> None:
        learner = LearnerFactory(school=provider.school, student_key="S-1")
        path = tmp_path / "ids.csv"
        path.write_bytes("old_student_key,new_student_key\rS-1,ü\r".replace(",", delimiter).encode(encoding))
        assert self.run(str(path)) == ("1 renamed\n", "")
        learner.refresh_from_db()
        assert learner.student_key == "ü"

    def test_lines_are_those_of_the_file(self, provider: IdentityProvider, write: Callable[[str], str]) -> None:
        path = write('old_student_key,new_student_key\n\n"S-1\n",sasha\n\nS-2,kim\n')
        with pytest.raises(CommandError):
            self.run(path)
        out, err = StringIO(), StringIO()
        with pytest.raises(CommandError):
            call_command("rename_students", path, identity_provider="uni-a-new", stdout=out, stderr=err)
        assert [line.partition(":")[0] for line in err.getvalue().splitlines()] == ["line 3", "line 6"]

    def test_of_no_text(self, provider: IdentityProvider, tmp_path: Path) -> None:
        path = tmp_path / "ids.csv"
        path.write_bytes(b"old_student_key,new_student_key\n\xff,1\n")
        with pytest.raises(CommandError, match="UTF-8"):
            self.run(str(path))
        with pytest.raises(CommandError, match="cannot be read"):
            self.run(str(tmp_path / "nothing.csv"))

    def test_of_no_provider(self, write: Callable[[str], str]) -> None:
        with pytest.raises(CommandError, match="no identity provider"):
            self.run(write("old_student_key,new_student_key\n"))
