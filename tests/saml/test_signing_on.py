from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from social_django.models import UserSocialAuth

from program_enrollments.models import IdentityProvider, Learner, SamlConfiguration, SchoolEmailDomain
from program_enrollments.saml.identities import UID
from tests.factories.enrollment import (
    PreemptiveProgramEnrollmentFactory,
)
from tests.factories.host import UserFactory
from tests.saml.student import MAIL, Student, sign_on
from tests.saml.university import University

GIVEN_NAME, FAMILY_NAME = "urn:oid:2.5.4.42", "urn:oid:2.5.4.4"


class TestTheFirstTime:
    def test_makes_an_account_of_what_the_university_says(self, student: Student, uni_a: University) -> None:
        attributes = {
            UID: ["S-100"],
            MAIL: ["sasha@uni-a.example"],
            GIVEN_NAME: ["Sasha"],
            FAMILY_NAME: ["Van Student"],
        }

        response = student.come_back(uni_a.response(student.start(), attributes=attributes))

        assert (response.status_code, response["Location"]) == (302, "/dashboard/")
        user = User.objects.get()
        assert (user.username, user.email) == ("s-100", "sasha@uni-a.example")
        assert (user.first_name, user.last_name) == ("Sasha", "Van Student")
        assert not user.has_usable_password()
        identity = UserSocialAuth.objects.get()
        assert (identity.provider, identity.uid, identity.user) == ("tpa-saml", "uni-a:S-100", user)
        assert student.username == "s-100"

    def test_what_was_promised_is_real_before_the_first_page(
        self,
        student: Student,
        uni_a: University,
        provider: IdentityProvider,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        learner = Learner.objects.create(school=provider.school, student_key="Student1")
        promise = PreemptiveProgramEnrollmentFactory(learner=learner, curriculum__program__school=provider.school)

        with django_capture_on_commit_callbacks(execute=True):
            response = sign_on(student, uni_a)

        learner.refresh_from_db()
        assert learner.user == User.objects.get()
        assert promise.program.title in student.client.get(response["Location"]).content.decode()

    def test_a_student_whom_the_school_enrolls_later_is_remembered(
        self, student: Student, uni_a: University, provider: IdentityProvider
    ) -> None:
        sign_on(student, uni_a, "S-7")

        learner = Learner.objects.get()
        assert (learner.school, learner.student_key) == (provider.school, "S-7")

    def test_a_full_name_is_parted_where_nothing_better_is_said(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a, displayName=["Sasha  Maria Student\n"])

        user = User.objects.get()
        assert (user.first_name, user.last_name) == ("Sasha", "Maria Student")


class TestUsernames:
    @pytest.mark.parametrize(
        ("said", "username"),
        [
            ({UID: ["1"], "eduPersonPrincipalName": ["x"]}, "1"),
            ({UID: ["Sasha.Student@uni-a.example"]}, "sasha.student"),
            ({UID: ["Łukasz Ünal"]}, "ukasz-unal"),
            ({UID: ["<script>"]}, "script"),
            ({UID: ["山田"], MAIL: ["yamada@uni-a.example"]}, "yamada"),
            ({UID: ["山田"], MAIL: ["山田@uni-a.example"], "displayName": ["Yamada Taro"]}, "yamada-taro"),
            ({UID: ["山田"]}, "student"),
            ({UID: ["x" * 200]}, "x" * 150),
        ],
        ids=lambda value: str(value)[-30:],
    )
    def test_are_made_of_what_is_said(
        self, student: Student, uni_a: University, said: dict[str, list[str]], username: str
    ) -> None:
        student.come_back(uni_a.response(student.start(), attributes=said))

        assert student.username == username

    def test_one_that_is_taken_gets_digits(self, student: Student, uni_a: University) -> None:
        UserFactory(username="student1", is_superuser=True)

        sign_on(student, uni_a)

        assert student.username.startswith("student1-")
        assert student.username.removeprefix("student1-").isdigit()
        assert not User.objects.get(username=student.username).is_superuser

    def test_a_long_one_that_is_taken_stays_within_the_field(self, student: Student, uni_a: University) -> None:
        UserFactory(username="x" * 150)

        sign_on(student, uni_a, "x" * 200)

        assert len(student.username) == 150

    def test_come_from_the_attribute_that_staff_named(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(username_attribute="nick")

        sign_on(student, uni_a, nick=["Sash"])

        assert student.username == "sash"


class TestAddresses:
    @pytest.fixture(autouse=True)
    def domain(self, provider: IdentityProvider) -> None:
        SchoolEmailDomain.objects.create(school=provider.school, domain="uni-a.example")
        SamlConfiguration.objects.update(confirms_email=True)

    def is_confirmed(self) -> bool:
        return bool(User.objects.get().email_address.is_verified)

    @pytest.mark.parametrize("address", ["s@uni-a.example", "S@Uni-A.EXAMPLE", "s@students.uni-a.example"])
    def test_of_the_schools_domains_are_confirmed_by_its_word(
        self, student: Student, uni_a: University, address: str
    ) -> None:
        sign_on(student, uni_a, mail=[address])

        assert self.is_confirmed()

    @pytest.mark.parametrize("address", ["s@gmail.example", "s@evil-uni-a.example", "s@uni-a.example.evil.example"])
    def test_of_other_domains_are_not(self, student: Student, uni_a: University, address: str) -> None:
        sign_on(student, uni_a, mail=[address])

        assert User.objects.get().email == address
        assert not self.is_confirmed()

    def test_are_not_if_the_provider_is_not_trusted(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(confirms_email=False)

        sign_on(student, uni_a, mail=["s@uni-a.example"])

        assert not self.is_confirmed()

    def test_are_not_if_the_school_lists_no_domain(self, student: Student, uni_a: University) -> None:
        SchoolEmailDomain.objects.all().delete()

        sign_on(student, uni_a, mail=["s@uni-a.example"])

        assert not self.is_confirmed()

    def test_confirmed_so_bring_what_was_promised_to_them(
        self,
        student: Student,
        uni_a: University,
        provider: IdentityProvider,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        learner = Learner.objects.create(school=provider.school, email="S@uni-a.example")

        with django_capture_on_commit_callbacks(execute=True):
            sign_on(student, uni_a, mail=["s@uni-a.example"])

        learner = Learner.objects.get()
        assert (learner.user, learner.student_key) == (User.objects.get(), "student1"), (
            "by ID and by e-mail: one person"
        )

    @pytest.mark.parametrize("address", ["nonsense", "a b@c.example", "x" * 250 + "@uni-a.example", " ", "@"])
    def test_that_are_none_are_left_out(self, student: Student, uni_a: University, address: str) -> None:
        sign_on(student, uni_a, mail=[address])

        assert User.objects.get().email == ""

    def test_the_first_usable_one_counts(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a, mail=["nonsense", "s@uni-a.example", "t@uni-a.example"])

        assert User.objects.get().email == "s@uni-a.example"


class TestTheNextTime:
    def test_finds_the_account_and_changes_nothing_of_it(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a, mail=["s@uni-a.example"])
        again = Student()

        sign_on(again, uni_a, mail=["other@uni-a.example"], displayName=["Other Name"])

        user = User.objects.get()
        assert again.username == student.username
        assert (user.email, user.get_full_name()) == ("s@uni-a.example", "")

    def test_saves_the_identity_so_that_what_failed_is_tried_again(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a)
        first = UserSocialAuth.objects.get().modified

        sign_on(Student(), uni_a)

        assert UserSocialAuth.objects.get().modified > first

    @pytest.mark.parametrize("spelled", ["S-1", "s-1", " s-1 ", "\N{FULLWIDTH LATIN SMALL LETTER S}-1"])
    def test_an_id_is_the_same_however_it_is_spelled(self, student: Student, uni_a: University, spelled: str) -> None:
        sign_on(student, uni_a, "S-1")
        again = Student()

        sign_on(again, uni_a, spelled)

        assert again.username == student.username
        assert UserSocialAuth.objects.get().uid == "uni-a:S-1", "kept as it was asserted first"

    def test_an_id_with_an_accent_is_another_persons(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a, "rene")
        other = Student()

        response = sign_on(other, uni_a, "rené")

        # Where the host's column has a collation without accents it cannot hold both: refused, never mixed up.
        if connection.vendor == "mysql":
            assert response.status_code == 409
            assert other.username == ""
        else:
            assert other.username not in {"", student.username}
        assert User.objects.filter(social_auth__uid="uni-a:rene").count() == 1

    def test_an_account_that_was_switched_off_stays_out(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a)
        User.objects.update(is_active=False)

        assert student.username == "", "also where the session had begun before"
        response = sign_on(Student(), uni_a)

        assert response.status_code == 403
        assert "switched off" in response.content.decode()
        assert User.objects.count() == 1


class TestAtASharedComputer:
    def test_the_next_student_is_signed_on_as_themselves(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a, "student1")
        first_session = student.client.session.session_key

        sign_on(student, uni_a, "student2")

        assert student.username == "student2"
        assert student.client.session.session_key != first_session
        assert set(UserSocialAuth.objects.values_list("user__username", "uid")) == {
            ("student1", "uni-a:student1"),
            ("student2", "uni-a:student2"),
        }

    def test_an_account_with_a_password_gets_no_identity(self, student: Student, uni_a: University) -> None:
        student.client.force_login(UserFactory(username="staff", is_staff=True))

        sign_on(student, uni_a)

        assert student.username == "student1"
        assert not UserSocialAuth.objects.filter(user__username="staff").exists()


class TestTheDemosOwnStep:
    """A host may add steps of its own behind those of this app: the demo mails a link to new, unconfirmed addresses."""

    def test_asks_for_a_confirmation(self, student: Student, uni_a: University, mailoutbox: list[Any]) -> None:
        sign_on(student, uni_a, mail=["s@uni-a.example"])
        sign_on(Student(), uni_a, mail=["s@uni-a.example"])

        (mail,) = mailoutbox
        assert mail.to == ["s@uni-a.example"]

    def test_but_not_where_the_university_vouches(
        self, student: Student, uni_a: University, provider: IdentityProvider, mailoutbox: list[Any]
    ) -> None:
        SchoolEmailDomain.objects.create(school=provider.school, domain="uni-a.example")
        SamlConfiguration.objects.update(confirms_email=True)

        sign_on(student, uni_a, mail=["s@uni-a.example"])

        assert mailoutbox == []
