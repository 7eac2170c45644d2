from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import Origin, SignOnRefusal, Source
from program_enrollments.models import IdentityProvider, Learner, SamlConfiguration
from program_enrollments.saml.identities import UID
from tests.factories.enrollment import (
    IdentityProviderFactory,
    UserSocialAuthFactory,
)
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.student import Student, refusal_on, sign_on
from tests.saml.university import University


class TestSeveralKeys:
    def test_the_old_and_the_new_one_count_during_a_rollover(
        self, student: Student, universities: dict[str, University]
    ) -> None:
        old, new = universities["uni-a"], universities["stranger"]
        SamlConfiguration.objects.update(signing_certificates=f"{old.certificate}\n{new.certificate}")
        renewed = University("uni-a", old.entity_id, new.keys)

        for university in (old, renewed):
            assert sign_on(Student(), university).status_code == 302
        SamlConfiguration.objects.update(signing_certificates=new.certificate)
        assert sign_on(Student(), renewed).status_code == 302
        assert sign_on(Student(), old).status_code == 403


class TestTwoProvidersOfOneSchool:
    """A university moves from one identity provider to another."""

    @pytest.fixture
    def new(self, provider: IdentityProvider, universities: dict[str, University]) -> University:
        university = University("uni-a-new", "https://new.uni-a.example/saml", universities["stranger"].keys)
        SamlConfigurationFactory(
            identity_provider=IdentityProviderFactory(slug=university.slug, school=provider.school),
            entity_id=university.entity_id,
            signing_certificates=university.certificate,
        )
        return university

    def test_the_same_id_is_the_same_person(self, student: Student, uni_a: University, new: University) -> None:
        sign_on(student, uni_a, "S-1")
        again = Student()

        sign_on(again, new, "s-1")

        assert again.username == student.username
        assert set(UserSocialAuth.objects.values_list("uid", flat=True)) == {"uni-a:S-1", "uni-a-new:s-1"}

    def test_also_after_the_old_one_was_switched_off(
        self, student: Student, uni_a: University, new: University
    ) -> None:
        sign_on(student, uni_a, "S-1")
        IdentityProvider.objects.filter(slug="uni-a").update(is_enabled=False)
        again = Student()

        sign_on(again, new, "S-1")

        assert again.username == student.username

    def test_an_identity_from_before_this_app_was_there_counts_too(self, student: Student, new: University) -> None:
        old = UserSocialAuthFactory(uid="uni-a:s-1")

        sign_on(student, new, "S-1")

        assert student.username == old.user.username

    def test_renamed_ids_lead_to_the_same_accounts(
        self, student: Student, uni_a: University, new: University, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            sign_on(student, uni_a, "S-1")
        api.rename_students(
            provider=IdentityProvider.objects.get(slug=new.slug),
            renamings=[api.Renaming("S-1", "sasha")],
            origin=Origin(source=Source.COMMAND.value),
        )
        again = Student()

        sign_on(again, new, "Sasha")

        assert again.username == student.username
        assert Learner.objects.get(user__username=student.username).student_key == "sasha"

    def test_the_same_id_at_another_school_is_another_person(
        self, student: Student, uni_a: University, uni_b: University, other_provider: IdentityProvider
    ) -> None:
        sign_on(student, uni_a, "S-1")
        other = Student()

        sign_on(other, uni_b, "S-1")

        assert other.username not in {"", student.username}


class TestTestOnly:
    @pytest.fixture(autouse=True)
    def for_tests_only(self, provider: IdentityProvider) -> None:
        SamlConfiguration.objects.update(is_test_only=True)

    def test_shows_what_was_asserted_and_does_nothing(self, student: Student, uni_a: University) -> None:
        response = sign_on(student, uni_a, "S-1", mail=["s@uni-a.example"], affiliation=["student", "member"])

        page = response.content.decode()
        assert response.status_code == 200
        for shown in ("uni-a:S-1", "s@uni-a.example", "has to be confirmed", "affiliation", "member", UID):
            assert shown in page
        assert student.username == ""
        assert not User.objects.exists()
        assert not Learner.objects.exists()

    def test_says_what_would_be_refused(self, student: Student, uni_a: University) -> None:
        page = sign_on(student, uni_a, "").content.decode()

        assert "A real sign-on would be refused" in page
        assert "permanent ID was not sent" in page

    def test_checks_signatures_all_the_same(self, student: Student, universities: dict[str, University]) -> None:
        impostor = University("uni-a", universities["uni-a"].entity_id, universities["stranger"].keys)

        assert sign_on(student, impostor).status_code == 403

    def test_is_not_among_the_choices(self, student: Student) -> None:
        assert "uni-a" not in student.client.get("/sso/").content.decode()
        page = student.client.get("/sso/schools/uni-a/").content.decode()
        assert refusal_on(page) == SignOnRefusal.PROVIDER_TEST_ONLY
