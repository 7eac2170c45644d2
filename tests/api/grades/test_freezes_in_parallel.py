"""Two freezes at once, on connections of their own: one freezes, the other is told so."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import override_settings

from demo_lms.host import DemoHost
from program_enrollments import api
from program_enrollments.data import Grade, GradeUnavailable, Origin, Source
from program_enrollments.exceptions import AlreadyFrozen, NotFrozen
from program_enrollments.models import CourseRun, FrozenGrade, GradeFreeze, Learner, Program
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
)

WORKERS, ROUNDS = 4, 5
WAIT_SECONDS = 120  # for the other worker; a database server that others keep busy can take its time
ORIGIN = Origin(source=Source.API, reason="Board of examiners")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> CourseRun:
    curriculum = CurriculumFactory()
    run = CourseRunFactory(curricula=[curriculum])
    for number in range(3):
        learner = LinkedLearnerFactory(school=curriculum.program.school, student_key=f"S-{number}")
        ProgramCourseEnrollmentFactory(program=curriculum.program, course_run=run, learner=learner)
    return run


def at_once(work: Callable[[], str]) -> Counter[str]:
    """Run `work` on several connections at the same moment; return how often each answer came."""
    barrier = threading.Barrier(WORKERS)

    def worker() -> str:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=WAIT_SECONDS)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return Counter(future.result() for future in [pool.submit(worker) for _ in range(WORKERS)])


def test_one_of_several_freezes_succeeds_and_one_of_several_reopenings(run: CourseRun) -> None:
    program = Program.objects.get()

    def freeze() -> str:
        try:
            return str(api.freeze_grades(program=program, course_run=run, origin=ORIGIN).version)
        except AlreadyFrozen:
            return "already frozen"

    def freeze_all() -> str:
        try:
            entries = api.freeze_program_grades(program=program, origin=ORIGIN)
            return str([each.version if isinstance(each, api.FrozenVersion) else each.error for each in entries])
        except AlreadyFrozen:
            return "already frozen"

    def reopen() -> str:
        try:
            return f"reopened {api.reopen_grades(program=program, course_run=run, origin=ORIGIN).version}"
        except NotFrozen:
            return "not frozen"

    for number in range(1, ROUNDS * 2, 2):
        assert at_once(freeze) == {str(number): 1, "already frozen": WORKERS - 1}
        assert at_once(reopen) == {f"reopened {number}": 1, "not frozen": WORKERS - 1}
        assert at_once(freeze_all) == {f"[{number + 1}]": 1, "already frozen": WORKERS - 1}
        assert at_once(reopen) == {f"reopened {number + 1}": 1, "not frozen": WORKERS - 1}
    assert [each.count for each in GradeFreeze.objects.all()] == [3] * ROUNDS * 2
    assert FrozenGrade.objects.count() == 3 * ROUNDS * 2


def raise_all(futures: Sequence[Future[None]]) -> None:
    """Raise whatever went wrong in any of these: who waited for another in vain is not the one to look at."""
    errors = [error for future in futures if (error := future.exception()) is not None]
    if errors:
        raise BaseExceptionGroup("in parallel", errors)


class SlowHost(DemoHost):
    """A host that takes its time to tell grades, and says when it was asked."""

    asked = threading.Event()

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        self.asked.set()
        time.sleep(0.3)
        return DemoHost().grades.fetch_grades(course_id=course_id, user_ids=user_ids)


@pytest.mark.parametrize("moment", ["while the host is read", "while the version is written"])
@pytest.mark.parametrize("linked", [True, False], ids=["with an account", "unlinked at the same time"])
def test_who_is_retired_while_grades_freeze_leaves_no_identifier(run: CourseRun, linked: bool, moment: str) -> None:
    program = Program.objects.get()
    gone = Learner.objects.get(student_key="S-1")
    SlowHost.asked.clear()
    writing = threading.Event()
    # From the first on the freeze has read who everybody is, and has written nothing; from the second on it has read it
    # again, with the grade book locked.
    begun = SlowHost.asked if moment == "while the host is read" else writing

    def slow_down(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "frozengrade" in sql and not writing.is_set():
            writing.set()
            time.sleep(0.3)
        return execute(sql, params, many, context)

    def freeze() -> None:
        try:
            with connection.execute_wrapper(slow_down):
                api.freeze_grades(program=program, course_run=run, origin=ORIGIN)
        finally:
            connection.close()

    def retire() -> None:
        try:
            assert begun.wait(timeout=WAIT_SECONDS)
            with transaction.atomic():
                Learner.objects.select_for_update().get(pk=gone.pk)
                if not linked:
                    api.unlink_learner(learner_id=gone.pk, origin=ORIGIN)
                Learner.objects.filter(pk=gone.pk).update(student_key="retired", student_key_normalized="retired")
                api.retire_from_freezes(pseudonyms={gone.pk: "retired"})
        finally:
            connection.close()

    with (
        override_settings(PROGRAM_ENROLLMENTS={"HOST": f"{__name__}.SlowHost"}),
        ThreadPoolExecutor(2) as pool,
    ):
        raise_all([pool.submit(freeze), pool.submit(retire)])

    keys = list(FrozenGrade.objects.order_by("position").values_list("student_key", flat=True))
    if begun is writing:
        assert keys == ["S-0", "retired", "S-2"]
        assert GradeFreeze.objects.get().retired == 1
    else:
        assert keys == ["S-0", "S-2", *(["retired"] if linked else [])]
        assert GradeFreeze.objects.get().retired == 0


def test_who_is_being_retired_when_a_freeze_begins_is_frozen_under_the_pseudonym(run: CourseRun) -> None:
    program = Program.objects.get()
    gone = Learner.objects.get(student_key="S-1")
    locked = threading.Event()

    def freeze() -> None:
        try:
            assert locked.wait(timeout=WAIT_SECONDS)
            api.freeze_grades(program=program, course_run=run, origin=ORIGIN)
        finally:
            connection.close()

    def retire() -> None:
        try:
            with transaction.atomic():
                Learner.objects.filter(pk=gone.pk).update(student_key="retired", student_key_normalized="retired")
                api.retire_from_freezes(pseudonyms={gone.pk: "retired"})
                locked.set()
                time.sleep(0.3)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        raise_all([pool.submit(freeze), pool.submit(retire)])

    keys = FrozenGrade.objects.order_by("position").values_list("student_key", flat=True)
    assert list(keys) == ["S-0", "S-2", "retired"]
    assert GradeFreeze.objects.get().retired == 0
