from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import IdentityProvider, Job, Learner, LedgerEntry, StagedRow
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

    def test_refuses_rows_that_give_one_id_twice(self, provider: IdentityProvider) -> None:
        for key in ("a", "b", "c", "d"):
            LearnerFactory(school=provider.school, student_key=key)

        assert rename(provider, ("a", "x"), ("A", "z"), ("c", "y"), ("d", "Y")) == ["invalid"] * 4

    def test_chains_and_swaps_are_judged_by_their_result(self, provider: IdentityProvider) -> None:
        for key in ("a", "b", "c", "d"):
            LearnerFactory(school=provider.school, student_key=key)

        assert rename(provider, ("a", "b"), ("b", "x"), ("c", "d"), ("d", "c"), dry_run=True) == ["renamed"] * 4
        assert rename(provider, ("a", "b"), ("b", "x"), ("c", "d"), ("d", "c")) == ["renamed"] * 4
        assert list(Learner.objects.order_by("pk").values_list("student_key", flat=True))[:4] == ["b", "x", "d", "c"]

    def test_more_that_depend_on_each_other_than_one_transaction_takes(self, provider: IdentityProvider) -> None:
        chain = [(f"S-{number}", f"S-{number + 1}") for number in range(1_001)]
        assert set(rename(provider, *chain)) == {"invalid"}

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


class Terminal(StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("file_storage")
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

        job = Job.objects.get()
        assert (out, err) == (f"1 changed, 0 unchanged, 0 refused (job {job.pk})\n", "")
        entry = LedgerEntry.objects.get()
        assert (entry.reason, entry.job_id) == ("new IDs", job.pk)
        assert not StagedRow.objects.exists()
        assert self.run(path)[0].startswith("0 changed, 1 unchanged, 0 refused")

    def test_waits_for_the_files_that_came_before(
        self, provider: IdentityProvider, write: Callable[[str], str]
    ) -> None:
        LearnerFactory(school=provider.school, student_key="S-1")
        self.upload(provider, b"old_student_key,new_student_key\nS-1,S-2\n")
        out, _err = self.run(write("old_student_key,new_student_key\nS-2,S-3\n"))
        assert out.startswith("1 changed")
        assert Learner.objects.filter(student_key="S-3").exists()
        assert [job.state for job in Job.objects.all()] == ["succeeded", "succeeded"]

    def upload(self, provider: IdentityProvider, raw: bytes) -> None:
        api.upload_rekeys(
            school=provider.school,
            sent=api.SentFile(BytesIO(raw), "ids.csv", len(raw), ""),
            options=api.RekeyOptions(),
            origin=ORIGIN,
        )

    def test_of_a_day_that_is_over(self, provider: IdentityProvider, write: Callable[[str], str]) -> None:
        with pytest.raises(CommandError, match="that day is over"):
            self.run(write("old_student_key,new_student_key\n"), honor_old_until=date(2020, 1, 1))

    def test_a_terminal_gets_a_progress_bar(
        self, provider: IdentityProvider, write: Callable[[str], str], settings: Settings
    ) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 1}
        LearnerFactory(school=provider.school, student_key="S-1")
        path = write("old_student_key,new_student_key\nS-1,sasha\nsasha2,kim\n")
        err = Terminal()

        with pytest.raises(CommandError, match="1 of 2 rows"):
            call_command("rename_students", path, identity_provider="uni-a-new", stdout=StringIO(), stderr=err)

        assert "2/2" in err.getvalue()

    def test_says_which_lines_to_look_at_and_names_nobody(
        self, provider: IdentityProvider, write: Callable[[str], str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        LearnerFactory(school=provider.school, student_key="S-1")
        path = write("old_student_key,new_student_key\nS-1,sasha\nS-2,kim\n")
        out, err = StringIO(), StringIO()

        with pytest.raises(CommandError, match="1 of 2 rows"):
            call_command("rename_students", path, identity_provider="uni-a-new", stdout=out, stderr=err)

        assert "line 3: Nobody" in err.getvalue()
        assert "S-2" not in out.getvalue() + err.getvalue()
        assert Learner.objects.filter(student_key="sasha").exists(), "the others are done"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "lacks the columns"),
            ("a,b\n1,2\n", "lacks the columns old_student_key, new_student_key"),
            ("S-7001;S-7002\n", "Line 1 has"),
            ("old_student_key,new_student_key\nS-7001,S-7002,S-7003\n", "1 of 1 rows"),
            ('old_student_key,new_student_key\n"S-7001"x,S-7002\n', "1 of 1 rows"),
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
        out, err = self.run(str(path))
        assert (out.partition(",")[0], err) == ("1 changed", "")
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
