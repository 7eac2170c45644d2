"""Merging: two learners of one school who turn out to be one person.

One is known by ID, and the other by e-mail address.
"""

from __future__ import annotations

from datetime import datetime

from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import Change, ChangeKind, CourseStatus
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)


def are_complementary(one: LockedLearner, other: LockedLearner) -> bool:
    """Whether two learners of a school contradict each other in nothing.

    Then evidence for one account makes them one person.
    """
    pairs = (
        (one.student_key_normalized, other.student_key_normalized),
        (one.email_normalized, other.email_normalized),
    )
    return one.school_id == other.school_id and all(not left or not right or left == right for left, right in pairs)


def join_identities(*, source: LockedLearner, target: LockedLearner) -> LockedLearner:
    """Return `target` with the identities of `source` that it lacks."""
    return target._replace(
        student_key=target.student_key or source.student_key,
        student_key_normalized=target.student_key_normalized or source.student_key_normalized,
        email=target.email or source.email,
        email_normalized=target.email_normalized or source.email_normalized,
        key_since=target.key_since if target.student_key_normalized else source.key_since,
    )


def merge_learners(
    *, source: LockedLearner, target: LockedLearner, now: datetime
) -> tuple[LockedLearner, list[Change]]:
    """Move the promises and identities of the waiting `source` to the linked `target`.

    Then `source` is removed.

    Where `target` already has an enrollment of the same program or course run, that one stands and the promise is
    dropped, which the ledger says. Returns `target` as it is now and the ledger's entries. The caller holds both
    locked and realizes `target` next.
    """
    merged = join_identities(source=source, target=target)
    changes = [
        Change(
            program_id=None,
            learner_id=target.id,
            student_key=merged.display_key,
            kind=ChangeKind.MERGE,
            before=str(source.id),
            after=str(target.id),
        )
    ]
    changes += _move_programs(source=source, merged=merged)
    changes += _move_courses(source=source, merged=merged)
    Learner.objects.filter(honored_for_id=source.id).update(honored_for_id=target.id)
    Learner.objects.filter(pk=source.id).delete()
    Learner.objects.filter(pk=target.id).update(
        student_key=merged.student_key,
        student_key_normalized=merged.student_key_normalized,
        email=merged.email,
        email_normalized=merged.email_normalized,
        key_since=merged.key_since,
        modified=now,
    )
    return merged, changes


def _move_programs(*, source: LockedLearner, merged: LockedLearner) -> list[Change]:
    # Of a learner linked a moment ago the enrollments are still promises.
    taken = {
        program_id
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for program_id in model._default_manager.filter(learner_id=merged.id).values_list("program_id", flat=True)
    }
    changes = []
    for promise in PreemptiveProgramEnrollment.objects.filter(learner_id=source.id).order_by("pk"):
        if promise.program_id not in taken:
            promise.learner_id = merged.id
            promise.save(update_fields=["learner"])
            continue
        changes.append(
            Change(
                program_id=promise.program_id,
                learner_id=merged.id,
                student_key=source.display_key,
                kind=ChangeKind.PROGRAM_ENROLLMENT,
                before=promise.status,
                after=None,
            )
        )
        promise.delete()
    return changes


def _move_courses(*, source: LockedLearner, merged: LockedLearner) -> list[Change]:
    standing = [
        row
        for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment)
        for row in model._default_manager.filter(learner_id=merged.id).values_list(
            "program_id", "course_run_id", "status"
        )
    ]
    taken = {(program_id, run_id) for program_id, run_id, _ in standing}
    occupied = {run_id for _, run_id, status in standing if status == CourseStatus.ACTIVE}
    changes = []
    for promise in PreemptiveCourseEnrollment.objects.filter(learner_id=source.id).order_by("pk"):
        crosses = promise.status == CourseStatus.ACTIVE and promise.course_run_id in occupied
        if (promise.program_id, promise.course_run_id) not in taken and not crosses:
            promise.learner_id = merged.id
            promise.save(update_fields=["learner"])
            continue
        changes.append(
            Change(
                program_id=promise.program_id,
                learner_id=merged.id,
                student_key=source.display_key,
                kind=ChangeKind.COURSE_ENROLLMENT,
                before=promise.status,
                after=None,
                course_run_id=promise.course_run_id,
            )
        )
        promise.delete()
    return changes
