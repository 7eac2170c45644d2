"""Whose account a university opens, as the student's browser sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import IdentityProvider
from program_enrollments.saml.configuration import STEPS
from tests.saml.student import Student, sign_on
from tests.saml.university import University

ORIGIN = Origin(source=Source.COMMAND.value)


def delete_account(*, user: User, **kwargs: Any) -> None:
    """A step of a pipeline: somebody deletes the account before the session is made."""
    User.objects.get(pk=user.pk).delete()


def test_an_account_that_is_deleted_during_the_sign_on_is_a_page_in_words(
    student: Student, uni_a: University, settings: Settings
) -> None:
    sign_on(student, uni_a, "A")
    path = f"{delete_account.__module__}.{delete_account.__qualname__}"
    configured = settings.PROGRAM_ENROLLMENTS
    sign_on_settings = {**configured["SIGN_ON"], "PIPELINE": [*STEPS, path]}
    settings.PROGRAM_ENROLLMENTS = {**configured, "SIGN_ON": sign_on_settings}
    late = Student()

    response = sign_on(late, uni_a, "A")

    assert response.status_code == 409
    assert "was being deleted" in response.content.decode()
    assert late.username == ""


def test_the_next_student_with_a_released_id_is_somebody_else(
    student: Student, uni_a: University, provider: IdentityProvider, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign_on(student, uni_a, "A")
    api.release_student_keys(school=provider.school, student_keys=["A"], origin=ORIGIN)
    cat = Student()

    sign_on(cat, uni_a, "A")

    assert cat.username not in {"", student.username}


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_a_university_does_not_sign_anybody_on_as_staff(student: Student, uni_a: University, right: str) -> None:
    sign_on(student, uni_a, "A")
    User.objects.filter(username=student.username).update(**{right: True})
    intruder = Student()

    response = sign_on(intruder, uni_a, "A")

    assert response.status_code == 403
    assert "rights beyond your university" in response.content.decode()
    assert intruder.username == ""
