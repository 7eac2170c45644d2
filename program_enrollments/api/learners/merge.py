"""Merging: two learner rows of one school that turn out to be one person.

One is known by ID, the other by e-mail address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import Change, ChangeKind, CourseStatus
from program_enrollments.models import (
    KeptEnrollment,
    Learner,
    LinkClaim,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.sql.bulk import delete_rows, update_rows


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


Pair = tuple[LockedLearner, LockedLearner]
"""(source, target): the source is merged into the target."""


def merge_learners(*, pairs: Sequence[Pair], now: datetime) -> tuple[list[LockedLearner], list[Change]]:
    """Move what waiting learners were promised to linked learners, and remove the former.

    Their identities move too. Where a target already has an enrollment of the same program or course
    run, that one stands and the promise is dropped, which the ledger says. Several sources may have
    one target; each then names the target as the pair before left it. Returns the targets as they are
    now and the ledger's entries. The caller holds all locked and realizes the targets next. Constant
    in statements.
    """
    if not pairs:
        return [], []
    targets = {target.id: target for _, target in pairs}
    merged: dict[int, LockedLearner] = {}
    changes = []
    for source, target in pairs:
        merged[target.id] = join_identities(source=source, target=merged.get(target.id, target))
        key = merged[target.id].display_key
        changes.append(Change(None, target.id, key, ChangeKind.MERGE, before=str(source.id), after=str(target.id)))
    changes += _move_programs(pairs, targets.keys())
    changes += _move_courses(pairs, targets.keys())
    _remove([source.id for source, _ in pairs], heirs={source.id: target.id for source, target in pairs})
    update_rows(
        Learner,
        fields=("student_key", "student_key_normalized", "email", "email_normalized", "key_since", "modified"),
        rows=[(*learner[:5], learner.key_since, now) for learner in merged.values()],
    )
    return list(merged.values()), changes


def _remove(ids: Sequence[int], *, heirs: Mapping[int, int]) -> None:
    """Remove learners that have nothing any more; former IDs that are honored for them go to their heirs."""
    aliases = Learner.objects.filter(honored_for_id__among=set(ids)).values_list("pk", "honored_for_id")
    update_rows(
        Learner, fields=("honored_for",), rows=[(pk, heirs[owner]) for pk, owner in aliases.iterator() if owner]
    )
    LinkClaim.objects.filter(learner_id__among=set(ids)).delete()
    _move_keeps(ids, heirs=heirs)
    delete_rows(Learner, field="id", values=ids, returning=["id"])


def _move_keeps(ids: Sequence[int], *, heirs: Mapping[int, int]) -> None:
    """Let what is kept of the sources be kept of their heirs; marks that the heirs have themselves stand."""
    kept = list(KeptEnrollment.objects.filter(learner_id__among=set(ids)))
    if not kept:
        return
    of_heirs = KeptEnrollment.objects.filter(learner_id__among=set(heirs.values()))
    taken: set[tuple[int, int, int | None]] = set(of_heirs.values_list("learner_id", "program_id", "course_run_id"))
    moving = []
    for mark in kept:
        place = (heirs[mark.learner_id], mark.program_id, mark.course_run_id)
        if place not in taken:
            taken.add(place)
            moving.append((mark.pk, heirs[mark.learner_id]))
    update_rows(KeptEnrollment, fields=("learner",), rows=moving)
    KeptEnrollment.objects.filter(learner_id__among=set(ids)).delete()


def _move_programs(pairs: Sequence[Pair], target_ids: Collection[int]) -> list[Change]:
    # Of a learner linked a moment ago the enrollments are still promises.
    taken = {
        place
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for place in model._default_manager.filter(learner_id__among=set(target_ids)).values_list(
            "learner_id", "program_id"
        )
    }
    promised = PreemptiveProgramEnrollment.objects.filter(learner_id__among={source.id for source, _ in pairs})
    by_source: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for pk, learner_id, program_id, status in promised.order_by("pk").values_list(
        "pk", "learner_id", "program_id", "status"
    ):
        by_source[learner_id].append((pk, program_id, status))
    moved, dropped, changes = [], [], []
    for source, target in pairs:
        for pk, program_id, status in by_source[source.id]:
            if (target.id, program_id) not in taken:
                taken.add((target.id, program_id))
                moved.append((pk, target.id))
                continue
            dropped.append(pk)
            changes.append(
                Change(program_id, target.id, source.display_key, ChangeKind.PROGRAM_ENROLLMENT, status, None)
            )
    update_rows(PreemptiveProgramEnrollment, fields=("learner",), rows=moved)
    if dropped:
        PreemptiveProgramEnrollment.objects.filter(pk__among=dropped).delete()
    return changes


def _move_courses(pairs: Sequence[Pair], target_ids: Collection[int]) -> list[Change]:
    taken: set[tuple[int, int, int]] = set()
    occupied: set[tuple[int, int]] = set()
    for model in (ProgramCourseEnrollment, PreemptiveCourseEnrollment):
        for learner_id, program_id, run_id, status in model._default_manager.filter(
            learner_id__among=set(target_ids)
        ).values_list("learner_id", "program_id", "course_run_id", "status"):
            taken.add((learner_id, program_id, run_id))
            if status == CourseStatus.ACTIVE:
                occupied.add((learner_id, run_id))
    promised = PreemptiveCourseEnrollment.objects.filter(learner_id__among={source.id for source, _ in pairs})
    by_source: dict[int, list[tuple[int, int, int, str]]] = defaultdict(list)
    for pk, learner_id, program_id, run_id, status in promised.order_by("pk").values_list(
        "pk", "learner_id", "program_id", "course_run_id", "status"
    ):
        by_source[learner_id].append((pk, program_id, run_id, status))
    moved, dropped, changes = [], [], []
    for source, target in pairs:
        for pk, program_id, run_id, status in by_source[source.id]:
            is_active = status == CourseStatus.ACTIVE
            crosses = is_active and (target.id, run_id) in occupied
            if (target.id, program_id, run_id) not in taken and not crosses:
                taken.add((target.id, program_id, run_id))
                if is_active:
                    occupied.add((target.id, run_id))
                moved.append((pk, target.id))
                continue
            dropped.append(pk)
            changes.append(
                Change(program_id, target.id, source.display_key, ChangeKind.COURSE_ENROLLMENT, status, None, run_id)
            )
    update_rows(PreemptiveCourseEnrollment, fields=("learner",), rows=moved)
    if dropped:
        PreemptiveCourseEnrollment.objects.filter(pk__among=dropped).delete()
    return changes
