"""A host with a SAML set-up of its own: social-auth's pipeline, with this app's step in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings
from social_core.backends.base import BaseAuth
from social_core.pipeline import DEFAULT_AUTH_PIPELINE
from social_django.models import UserSocialAuth
from social_django.utils import load_strategy

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import IdentityProvider, Learner
from program_enrollments.saml.checks import HOLDER_STEP, SOCIAL_USER
from program_enrollments.saml.pipeline import SignOnForbidden
from tests.factories.enrollment import IdentityProviderFactory, LearnerFactory

pytestmark = pytest.mark.django_db

ORIGIN = Origin(source=Source.COMMAND.value)
PIPELINE = [step for each in DEFAULT_AUTH_PIPELINE for step in ([each, HOLDER_STEP] if each == SOCIAL_USER else [each])]


class HostSAML(BaseAuth):
    """What a host's backend comes to once an assertion is checked."""

    name = "tpa-saml"
    steps = PIPELINE

    def get_user_id(self, details: Any, response: Any) -> Any:
        return response["uid"]

    def get_user_details(self, response: Any) -> dict[str, Any]:
        return {"username": response["uid"].replace(":", "-"), "email": ""}


@pytest.fixture
def provider() -> IdentityProvider:
    made: IdentityProvider = IdentityProviderFactory(slug="uni-a", school__key="uni-a")
    return made


def sign_on(uid: str, *, steps: list[str] | None = None) -> User:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment]
    backend = HostSAML(load_strategy(request))
    out = backend.run_pipeline(
        steps or PIPELINE,
        0,
        strategy=backend.strategy,
        backend=backend,
        request=request,
        response={"uid": uid},
        details={},
        is_new=False,
        user=None,
        storage=backend.strategy.storage,
    )
    user: User = out["user"]
    return user


def test_an_id_that_changed_hands_opens_an_account_of_its_own(provider: IdentityProvider) -> None:
    ann = sign_on("uni-a:A")
    Learner.objects.update(user=ann, link_how="sso")
    old = UserSocialAuth.objects.get()
    created = old.created
    api.release_student_keys(school=provider.school, student_keys=["A"], origin=ORIGIN)
    UserSocialAuth.objects.bulk_create([old])
    UserSocialAuth.objects.update(created=created)

    assert sign_on("uni-a:A", steps=list(DEFAULT_AUTH_PIPELINE)) == ann, "what happens without the step"
    cat = sign_on("uni-a:A")

    assert cat != ann
    assert sign_on("uni-a:A") == cat
    assert UserSocialAuth.objects.get(uid="uni-a:A").user == cat


def test_the_same_student_is_left_alone(provider: IdentityProvider) -> None:
    ann = sign_on("uni-a:A")
    assert sign_on("uni-a:A") == ann
    assert UserSocialAuth.objects.count() == 1


def test_a_uid_of_no_school_is_none_of_our_business(provider: IdentityProvider) -> None:
    assert sign_on("elsewhere:A") == sign_on("elsewhere:A")
    assert not Learner.objects.exists()


def test_staff_are_refused_in_words(provider: IdentityProvider) -> None:
    user = sign_on("uni-a:A")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    with pytest.raises(SignOnForbidden, match="rights beyond your university"):
        sign_on("uni-a:A")


def test_a_question_is_refused_in_words(provider: IdentityProvider) -> None:
    LearnerFactory(
        school=provider.school,
        student_key="A",
        problem_code="possibly_new_person",
        problem_at=timezone.now(),
    )
    with pytest.raises(SignOnForbidden, match="another e-mail address"):
        sign_on("uni-a:A")


def warnings() -> list[str]:
    return [each.hint or "" for each in run_checks() if each.id == "university_enrollments.W023"]


def test_the_check_finds_the_step_missing(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.saml.test_host_pipelines.HostSAML"]
    (hint,) = warnings()
    assert HOLDER_STEP in hint
    assert "SOCIAL_AUTH_PIPELINE" in hint

    settings.SOCIAL_AUTH_TPA_SAML_PIPELINE = [HOLDER_STEP, SOCIAL_USER]
    (hint,) = warnings()
    assert "SOCIAL_AUTH_TPA_SAML_PIPELINE" in hint, "before the step that it corrects, it does nothing"

    settings.SOCIAL_AUTH_TPA_SAML_PIPELINE = PIPELINE
    assert warnings() == []


def test_the_check_has_nothing_to_say_of_this_apps_own_backend() -> None:
    assert warnings() == []
