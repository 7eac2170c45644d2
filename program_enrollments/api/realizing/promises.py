"""Promises: linked learners' preemptive enrollments are turned into real ones.

This is idempotent, and one transaction (ADR 0002).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.locks import LockedLearner, lock_learners
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.realizing.seats import agree_on_seats_and_roles
from program_enrollments.api.seat_rules import SeatWish
from program_enrollments.api.transactions import in_transaction, is_passing
from program_enrollments.conf import get_setting
from program_enrollments.data import (
    Change,
    ChangeKind,
    CourseStatus,
    HostFailure,
    LearnerProblem,
    Origin,
    RealizingReport,
)
from program_enrollments.exceptions import DoesNotExist, LinkRefused
from program_enrollments.failures import describe_failure
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.sql.bulk import delete_rows, insert_rows

logger = logging.getLogger(__name__)

PROGRAM_FIELDS = ("program", "learner", "curriculum", "status", "created")
COURSE_FIELDS = (
    "program",
    "course_run",
    "learner",
    "status",
    "course_staff",
    "course_staff_given",
    "created",
    "modified",
)
PREEMPTIVE, REAL = "preemptive", "real"


@dataclass(slots=True)
class Realized:
    """The report of a realizing, and its ledger entries, which the caller records."""

    report: RealizingReport = field(default_factory=RealizingReport)
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Promise:
    """A preemptive course enrollment that is about to become real."""

    id: int
    program_id: int
    course_run_id: int
    learner_id: int
    status: str
    course_staff: bool
    created: datetime
    course_id: str
    user_id: int

    @property
    def pair(self) -> UserCourse:
        """The user and the course run, as the host's ports name them."""
        return self.user_id, self.course_id


def realize_learners(
    *, learner_ids: Collection[int], origin: Origin, now: datetime | None = None, again: bool = False
) -> RealizingReport:
    """Realize the preemptive enrollments of the linked ones of these learners, in one transaction.

    `again` includes course enrollments that wait for a person after too many refusals. Raises the database's
    exceptions.
    """
    moment = now or timezone.now()

    def work(one_by_one: bool) -> RealizingReport:
        linked = Learner.objects.filter(pk__in=learner_ids, user__isnull=False).values_list("user_id", flat=True)
        held = hold_accounts(user_ids=linked)
        learners = lock_learners(ids=learner_ids)
        held.require(learner.user_id for learner in learners)
        realized = realize_linked(learners=learners, now=moment, one_by_one=one_by_one, again=again)
        record_changes(changes=realized.changes, origin=origin, now=moment)
        return realized.report

    return keep_failures_apart(work)


def keep_failures_apart(work: Callable[[bool], RealizingReport]) -> RealizingReport:
    """Run `work(False)` in a transaction. If the host makes it fail, run `work(True)` instead.

    `work(True)` writes course enrollments to the host one by one, each in its own savepoint. Nearly no sign-in needs
    those statements.
    """
    try:
        return in_transaction(lambda: work(False))
    except (LinkRefused, DoesNotExist):
        raise
    # The host can raise anything. The second run finds out which course enrollment fails.
    except Exception as error:
        if is_passing(error):
            raise
        logger.warning("Realizing failed as a whole (%s) and is done one by one.", describe_failure(error))
        return in_transaction(lambda: work(True))


def realize_linked(
    *, learners: Sequence[LockedLearner], now: datetime, one_by_one: bool = False, again: bool = False
) -> Realized:
    """Realize the preemptive enrollments of the linked ones of `learners`.

    The caller has locked the learners and records the changes. The number of statements is constant. A course
    enrollment that the host does not accept stays preemptive, with the reason, its number of tries and the time of the
    last one. All others become real.
    """
    linked = {learner.id: learner for learner in learners if learner.user_id is not None}
    realized = Realized()
    if not linked:
        return realized
    programs = _realize_programs(linked=linked, now=now, realized=realized)
    courses, failures = _realize_courses(linked=linked, now=now, realized=realized, one_by_one=one_by_one, again=again)
    recovered = [pk for pk, learner in linked.items() if learner.problem_code == LearnerProblem.REALIZING_FAILED]
    if recovered:
        Learner.objects.filter(pk__among=recovered).update(problem_code="", problem_detail="", problem_at=None)
    realized.report = RealizingReport(program_enrollments=programs, course_enrollments=courses, failures=failures)
    return realized


def _realize_programs(*, linked: Mapping[int, LockedLearner], now: datetime, realized: Realized) -> int:
    rows = delete_rows(PreemptiveProgramEnrollment, field="learner", values=linked.keys(), returning=PROGRAM_FIELDS)
    insert_rows(ProgramEnrollment, fields=(*PROGRAM_FIELDS, "modified"), rows=[(*row, now) for row in rows])
    for program_id, learner_id, *_ in rows:
        realized.changes.append(
            Change(
                program_id=program_id,
                learner_id=learner_id,
                student_key=linked[learner_id].display_key,
                kind=ChangeKind.PROGRAM_REALIZED,
                before=PREEMPTIVE,
                after=REAL,
            )
        )
    return len(rows)


def _realize_courses(
    *, linked: Mapping[int, LockedLearner], now: datetime, realized: Realized, one_by_one: bool, again: bool
) -> tuple[int, int]:
    promises = _fetch_promises(linked=linked, again=again)
    if not promises:
        return 0, 0
    wishes = [
        SeatWish(promise.user_id, promise.course_id, True)
        for promise in promises
        if promise.status == CourseStatus.ACTIVE
    ]
    given, failures = agree_on_seats_and_roles(
        wishes=wishes,
        grants={promise.pair for promise in promises if promise.course_staff},
        revokes=(),
        one_by_one=one_by_one,
    )
    kept = [promise for promise in promises if promise.pair not in failures]
    insert_rows(
        ProgramCourseEnrollment,
        fields=COURSE_FIELDS,
        rows=[
            (
                promise.program_id,
                promise.course_run_id,
                promise.learner_id,
                promise.status,
                promise.course_staff,
                promise.course_staff and promise.pair in given,
                promise.created,
                now,
            )
            for promise in kept
        ],
    )
    PreemptiveCourseEnrollment.objects.filter(pk__among={promise.id for promise in kept}).delete()
    for promise in kept:
        realized.changes.append(
            Change(
                program_id=promise.program_id,
                learner_id=promise.learner_id,
                student_key=linked[promise.learner_id].display_key,
                kind=ChangeKind.COURSE_REALIZED,
                before=PREEMPTIVE,
                after=REAL,
                course_run_id=promise.course_run_id,
            )
        )
    failed = [promise for promise in promises if promise.pair in failures]
    keep_failures(failures={promise.id: failures[promise.pair] for promise in failed}, now=now)
    return len(kept), len(failed)


def _fetch_promises(*, linked: Mapping[int, LockedLearner], again: bool) -> list[Promise]:
    rows = PreemptiveCourseEnrollment.objects.filter(learner_id__among=linked.keys())
    if not again:
        rows = rows.filter(refusals__lt=get_setting("MAX_TRIES"))
    promises = []
    for row in rows.order_by("pk").values_list(
        "pk", "program_id", "course_run_id", "learner_id", "status", "course_staff", "created", "course_run__course_id"
    ):
        user_id = linked[row[3]].user_id
        if user_id is not None:
            promises.append(Promise(*row, user_id))
    return promises


def keep_failures(*, failures: Mapping[int, HostFailure], now: datetime) -> None:
    """Store on preemptive course enrollments (by ID) why the host did not accept them.

    One statement per distinct reason.
    """
    alike: dict[HostFailure, list[int]] = defaultdict(list)
    for promise_id, failure in failures.items():
        alike[failure].append(promise_id)
    for failure, ids in alike.items():
        PreemptiveCourseEnrollment.objects.filter(pk__among=ids).update(
            problem_code=failure.code[:64],
            problem_detail=failure.detail[:500],
            tries=F("tries") + 1,
            refusals=F("refusals") + (1 if failure.permanent else 0),
            last_tried=now,
        )


def note_realizing_failure(*, learner_ids: Collection[int], error: BaseException, now: datetime) -> None:
    """Store on the learners that realizing failed as a whole. The next sign-in or the sweep tries again.

    A learner in conflict keeps the conflict.
    """
    Learner.objects.filter(pk__in=learner_ids).exclude(problem_code=LearnerProblem.CONFLICT).update(
        problem_code=LearnerProblem.REALIZING_FAILED, problem_detail=type(error).__name__, problem_at=now
    )
