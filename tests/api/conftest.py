"""A small world for the tests of the api: one school with an identity provider, a program, a course run, and short
ways to write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth.models import User
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import (
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Source,
    Verb,
)
from program_enrollments.models import CourseRun, Curriculum, IdentityProvider, Program, School
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.factories.host import UserFactory, confirm_email

ORIGIN = Origin(source=Source.API.value, request_id="request-1")


@dataclass
class World:
    """One school, and short ways to write as its student information system does. Words come back by answer key."""

    school: School
    provider: IdentityProvider
    curriculum: Curriculum
    course_run: CourseRun
    run_callbacks: Callable[..., Any]
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        self.program = self.curriculum.program

    def write_program(
        self,
        *rows: tuple[str, str],
        verb: Verb = Verb.UPSERT,
        program: Program | None = None,
        **options: Any,
    ) -> dict[str, str]:
        """Write (identity, status) rows; an identity with an @ is an e-mail address."""
        return words(
            api.write_program_enrollments(
                program=program or self.program,
                rows=[program_row(identity, status) for identity, status in rows],
                verb=verb,
                origin=ORIGIN,
                **options,
            )
        )

    def write_course(
        self,
        *rows: tuple[str, str] | tuple[str, str, bool | None],
        verb: Verb = Verb.UPSERT,
        program: Program | None = None,
        course_run: CourseRun | None = None,
    ) -> dict[str, str]:
        """Write (identity, status) or (identity, status, course staff) rows."""
        return words(
            api.write_course_enrollments(
                program=program or self.program,
                course_run=course_run or self.course_run,
                rows=[course_row(*row) for row in rows],
                verb=verb,
                origin=ORIGIN,
            )
        )

    def sign_on(self, remote_id: str, *, user: User | None = None, slug: str = "", provider: str = "tpa-saml") -> User:
        """Sign a student on as social-auth does: the account is saved first, the identity after it, each committed."""
        with self.run_callbacks(execute=True):
            user = user or UserFactory()
        with self.run_callbacks(execute=True):
            identity, made = UserSocialAuth.objects.get_or_create(
                provider=provider, uid=f"{slug or self.provider.slug}:{remote_id}", defaults={"user": user}
            )
            if not made:
                identity.save()
        return user

    def confirm_email(self, user: User, email: str) -> None:
        """Give the account this address, confirmed, and tell the app, as a host does."""
        with self.run_callbacks(execute=True):
            user.email = email
            user.save()
        confirm_email(user)
        with self.run_callbacks(execute=True):
            api.email_confirmed(user_id=user.pk)


def program_row(identity: str, status: str) -> ProgramEnrollmentRequest:
    student_key, email = ("", identity) if "@" in identity else (identity, "")
    return ProgramEnrollmentRequest(identity, student_key, email, status)


def course_row(identity: str, status: str, course_staff: bool | None = None) -> CourseEnrollmentRequest:
    student_key, email = ("", identity) if "@" in identity else (identity, "")
    return CourseEnrollmentRequest(identity, student_key, email, status, course_staff)


def words(outcomes: Iterable[RowOutcome]) -> dict[str, str]:
    return {outcome.key: outcome.word for outcome in outcomes}


@pytest.fixture
def world(db: None, django_capture_on_commit_callbacks: Callable[..., Any]) -> World:
    """A school with one identity provider, one program with one curriculum, and one course run in it."""
    school = SchoolFactory(key="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    return World(
        school=school,
        provider=IdentityProviderFactory(school=school, slug="uni-a"),
        curriculum=curriculum,
        course_run=CourseRunFactory(curricula=[curriculum]),
        run_callbacks=django_capture_on_commit_callbacks,
    )
