"""What holds of the tables whenever nobody is writing: rows, the host's seats, the ledger replayed, and evidence.

`find_violations` returns sentences, empty where all is well. Flows that let writers cross call it at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from social_django.models import UserSocialAuth

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments.data import ChangeKind, CourseStatus, LinkHow
from program_enrollments.models import (
    IdentityProvider,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.normalization import normalize_identity, split_uid


def find_violations() -> list[str]:
    """Return what does not hold, one sentence each."""
    return [*_rows(), *_seats(), *_ledger(), *_evidence()]


def _rows() -> Iterator[str]:
    for learner in Learner.objects.all():
        if (learner.user_id is None) != (learner.link_how == ""):
            yield f"Learner {learner.pk} has user {learner.user_id} and link_how {learner.link_how!r}."
    for real in (ProgramEnrollment, ProgramCourseEnrollment):
        for pk in real._default_manager.filter(learner__user=None).values_list("pk", flat=True):
            yield f"{real.__name__} {pk} is real, but its learner has no account."
    for pk in PreemptiveProgramEnrollment.objects.filter(learner__user__isnull=False).values_list("pk", flat=True):
        yield f"PreemptiveProgramEnrollment {pk} waits, but its learner has an account."
    waiting = PreemptiveCourseEnrollment.objects.filter(learner__user__isnull=False, problem_code="")
    for pk in waiting.values_list("pk", flat=True):
        yield f"PreemptiveCourseEnrollment {pk} waits without a reason, but its learner has an account."


def _seats() -> Iterator[str]:
    wanted = {
        (user_id, course_id)
        for user_id, course_id in ProgramCourseEnrollment.objects.filter(
            status=CourseStatus.ACTIVE, learner__user__isnull=False
        ).values_list("learner__user_id", "course_run__course_id")
    }
    given = set(
        rows_of(CourseEnrollment).filter(mode="masters", is_active=True).values_list("user_id", "course_run_id")
    )
    for user_id, course_id in wanted - given:
        yield f"User {user_id} is active in {course_id}, but has no seat."
    for user_id, course_id in given - wanted:
        yield f"User {user_id} has a seat in {course_id} that no enrollment asks for."


def _ledger() -> Iterator[str]:
    yield from _feeds()
    merged = LedgerEntry.objects.filter(kind=ChangeKind.MERGE)
    passed_over = {int(pk) for pair in merged.values_list("before", "after") for pk in pair if pk}
    yield from _replayed(ChangeKind.PROGRAM_ENROLLMENT, _stored_programs(), passed_over)
    yield from _replayed(ChangeKind.COURSE_ENROLLMENT, _stored_courses(), passed_over)
    links = dict(LedgerEntry.objects.filter(kind=ChangeKind.LINK).order_by("pk").values_list("learner_id", "after"))
    for learner in Learner.objects.filter(retired_at=None).exclude(pk__in=passed_over):
        link = f"{learner.link_how}:{learner.user_id}" if learner.user_id is not None else None
        if links.get(learner.pk) != link:
            yield f"The ledger ends with the link {links.get(learner.pk)} for learner {learner.pk}, not {link}."


def _feeds() -> Iterator[str]:
    positions: dict[int, list[int]] = defaultdict(list)
    for program_id, position in LedgerEntry.objects.exclude(program=None).values_list("program_id", "position"):
        positions[program_id or 0].append(position or 0)
    for program_id, taken in positions.items():
        if sorted(taken) != list(range(1, len(taken) + 1)):
            yield f"The feed of program {program_id} has gaps or doubles."


Place = tuple[int, int, int | None]
"""(learner, program, course run or None)"""


def _stored_programs() -> dict[Place, str]:
    return {
        (row.learner_id, row.program_id, None): row.status
        for model in (PreemptiveProgramEnrollment, ProgramEnrollment)
        for row in model._default_manager.all()
    }


def _stored_courses() -> dict[Place, str]:
    return {
        (row.learner_id, row.program_id, row.course_run_id): row.status
        for model in (PreemptiveCourseEnrollment, ProgramCourseEnrollment)
        for row in model._default_manager.all()
    }


def _replayed(kind: ChangeKind, stored: dict[Place, str], passed_over: set[int]) -> Iterator[str]:
    entries = LedgerEntry.objects.filter(kind=kind).order_by("program", "position")
    told: dict[Place, str | None] = {
        (learner_id, program_id, run_id): after
        for learner_id, program_id, run_id, after in entries.values_list("learner", "program", "course_run", "after")
    }
    for place in {*told, *stored}:
        if place[0] not in passed_over and told.get(place) != stored.get(place):
            yield f"The ledger ends with {told.get(place)} for {place}, the table has {stored.get(place)}."


def _evidence() -> Iterator[str]:
    """No account signs on under an ID that is another account's by as strong evidence."""
    schools = dict(IdentityProvider.objects.values_list("slug", "school_id"))
    holders = {
        (learner.school_id, learner.student_key_normalized): learner
        for learner in Learner.objects.filter(student_key_normalized__isnull=False)
    }
    for social in UserSocialAuth.objects.filter(provider="tpa-saml"):
        parts = split_uid(social.uid)
        if parts is None or parts[0] not in schools:
            continue
        learner = holders.get((schools[parts[0]], normalize_identity(parts[1])))
        if learner is None or learner.honored_for_id is not None:
            continue
        is_current = learner.key_since is None or social.created >= learner.key_since
        if learner.user_id is None and is_current and learner.problem_code == "":
            yield f"User {social.user_id} signs on as learner {learner.pk}, who waits for an account."
        if learner.link_how == LinkHow.SSO and learner.user_id != social.user_id and is_current:
            yield f"User {social.user_id} signs on as learner {learner.pk}, who is user {learner.user_id}."
