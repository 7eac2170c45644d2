"""Steps of stories about learners: they sign on, schools write them, support releases their IDs."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import (
    Origin,
    ProgramEnrollmentRequest,
    RowOutcome,
    Source,
    Verb,
)
from tests.api.conftest import ORIGIN, World

STAFF = Origin(source=Source.STAFF.value, reason="asked by phone")


def opened(world: World, key: str, *, slug: str = "", email: str = "", declined: bool = False) -> User | None:
    """Sign on through this app; None where an account is offered first."""
    identity = api.AssertedIdentity(
        school_id=world.school.pk, slug=slug or world.provider.slug, remote_id=key, email=email
    )
    with world.run_callbacks(execute=True):
        answer = api.open_account(
            backend="tpa-saml", identity=identity, assertion=None, declined=declined, now=timezone.now()
        )
    return answer.user if answer is not None else None


def put(world: World, key: str, email: str, *, program: object = None, **options: object) -> RowOutcome:
    row = ProgramEnrollmentRequest(key, key, email, "enrolled")
    (outcome,) = api.write_program_enrollments(
        program=program or world.program,  # type: ignore[arg-type]
        rows=[row],
        verb=Verb.UPSERT,
        origin=ORIGIN,
        **options,  # type: ignore[arg-type]
    )
    return outcome


def release(world: World, *keys: str) -> list[str]:
    return [str(word) for word in api.release_student_keys(school=world.school, student_keys=keys, origin=STAFF)]
