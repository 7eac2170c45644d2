"""Things of the demo LMS, which is the host in the tests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from demo_lms.models import CourseAccessRole, CourseEnrollment, CourseGrade, CourseRun, DailyActivity, EmailAddress
from demo_lms.models.accounts import email_digest
from tests.factories.accounts import MODEL, email_of, names_of


class UserFactory(DjangoModelFactory[Any]):
    """An account without e-mail address; its password is `password`.

    `username` and `email` are what the host's user model has in their place.
    """

    class Meta:
        model = MODEL
        skip_postgeneration_save = True

    @classmethod
    def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
        return {**names_of(username=kwargs.pop("username"), email=kwargs.pop("email", None)), **kwargs}

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("password")


class ServiceUserFactory(UserFactory):
    """The account that an API client acts as."""

    username = factory.Sequence(lambda n: f"service{n}")


class StaffUserFactory(UserFactory):
    username = factory.Sequence(lambda n: f"staff{n}")
    is_staff = True


class SuperuserFactory(StaffUserFactory):
    username = factory.Sequence(lambda n: f"superuser{n}")
    is_superuser = True


def confirm_email(user: Any) -> None:
    """Mark the account's present address as confirmed, without telling `program_enrollments`."""
    EmailAddress.objects.filter(user=user, email=email_of(user)).update(
        verified_at=timezone.now(), verified_digest=email_digest(email_of(user))
    )


class ConfirmedUserFactory(UserFactory):
    """An account whose e-mail address is confirmed. `program_enrollments` is not told: call `api.email_confirmed` for
    that.
    """

    email = factory.Sequence(lambda n: f"user{n}@mail.example")

    @factory.post_generation
    def confirmed(self: Any, create: bool, extracted: object, **kwargs: object) -> None:
        confirm_email(self)


class HostCourseRunFactory(DjangoModelFactory[CourseRun]):
    """A course run of the LMS; the catalog's mirror of one is made by `tests.factories.enrollment.CourseRunFactory`."""

    class Meta:
        model = CourseRun

    course_id = factory.Sequence(lambda n: f"course-v1:Uni+C{n}+2026")
    title = factory.Sequence(lambda n: f"Course {n}")


class CourseEnrollmentFactory(DjangoModelFactory[CourseEnrollment]):
    class Meta:
        model = CourseEnrollment

    user = factory.SubFactory(UserFactory)
    course_run = factory.SubFactory(HostCourseRunFactory)


class CourseAccessRoleFactory(DjangoModelFactory[CourseAccessRole]):
    class Meta:
        model = CourseAccessRole

    user = factory.SubFactory(UserFactory)
    course_run = factory.SubFactory(HostCourseRunFactory)


class CourseGradeFactory(DjangoModelFactory[CourseGrade]):
    class Meta:
        model = CourseGrade

    user = factory.SubFactory(UserFactory)
    course_run = factory.SubFactory(HostCourseRunFactory)
    letter = "B"
    percent = Decimal("0.83")
    passed = True


class DailyActivityFactory(DjangoModelFactory[DailyActivity]):
    class Meta:
        model = DailyActivity

    user = factory.SubFactory(UserFactory)
    course_run = factory.SubFactory(HostCourseRunFactory)
    day = date(2026, 3, 2)
