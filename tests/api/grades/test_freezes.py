"""Freezing and reopening: what is kept, what is refused, and that nothing kept ever changes."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from demo_lms.host import DemoHost
from demo_lms.models import CourseGrade
from program_enrollments import api
from program_enrollments.exceptions import (
    AlreadyFrozen,
    HostError,
    NotFrozen,
)
from program_enrollments.models import (
    CourseRun,
    FrozenGrade,
    GradeFreeze,
    Learner,
    ProgramCourseEnrollment,
)
from tests.api.conftest import World
from tests.api.grade_freezes import LATER, NOW, freeze, origin, reopen
from tests.api.grades.test_final_grades import enroll, read
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory
from tests.factories.host import CourseGradeFactory, UserFactory


def rows_of(world: World, version: int) -> list[dict[str, Any]]:
    return list(api.get_freeze(program=world.program, course_run=world.course_run, version=version).rows())


def digest_of(rows: list[dict[str, Any]]) -> str:
    """The contract's definition, in other words than the code's."""
    members = [
        "{" + ",".join(f"{json.dumps(key)}:{json.dumps(row[key], ensure_ascii=False)}" for key in sorted(row)) + "}"
        for row in sorted(rows, key=lambda row: row["student_key"])
    ]
    return hashlib.sha256(f"[{','.join(members)}]".encode()).hexdigest()


def enroll_many(world: World, run: CourseRun, count: int) -> None:
    """Put `count` learners with accounts and grades into a course run, in a few statements."""
    User.objects.bulk_create([User(username=f"{run.pk}-{number}") for number in range(count)], batch_size=1000)
    users = list(User.objects.filter(username__startswith=f"{run.pk}-"))
    Learner.objects.bulk_create(
        [Learner(school=world.school, student_key=f"S-{user.pk}", user=user, link_how="sso") for user in users],
        batch_size=1000,
    )
    learners = Learner.objects.filter(user__in=User.objects.filter(username__startswith=f"{run.pk}-"))
    ProgramCourseEnrollment.objects.bulk_create(
        [
            ProgramCourseEnrollment(program=world.program, course_run=run, learner=learner, status="active")
            for learner in learners
        ],
        batch_size=1000,
    )
    CourseGrade.objects.bulk_create(
        [
            CourseGrade(user=user, course_run_id=run.course_id, letter="A", percent=Decimal("0.9"), passed=True)
            for user in users
        ],
        batch_size=1000,
    )


def test_a_freeze_is_what_was_read_just_before_it(world: World) -> None:
    for key in ("b", "a", "Z", "é", "10", "9"):
        enroll(world, key, grade=("A", "0.925", True))
    enroll(world, "none")
    user = UserFactory(username="registrar")
    live = read(world).page.rows

    version = freeze(world, actor_id=user.pk)

    expected = sorted(live, key=lambda row: row["student_key"])
    assert [row["student_key"] for row in expected] == ["10", "9", "Z", "a", "b", "none", "é"]
    assert version == api.FrozenVersion(
        course_id=world.course_run.course_id,
        version=1,
        frozen_by="registrar",
        frozen_at=NOW,
        reason="Board of examiners",
        count=7,
        digest=digest_of(live),
    )
    grades = read(world)
    assert (grades.frozen, grades.version, grades.frozen_at) == (True, 1, NOW)
    assert grades.page.rows == expected
    assert rows_of(world, 1) == expected
    stored = GradeFreeze.objects.get()
    assert (stored.frozen_by_user_id, stored.request_id) == (user.pk, "request-1")


def test_whatever_the_host_says_later_frozen_is_frozen(world: World) -> None:
    first = enroll(world, "S-1", grade=("A", "0.925", True))
    second = enroll(world, "S-2", grade=("B", "0.8", True))
    freeze(world)
    before = json.dumps(read(world).page.rows)

    CourseGrade.objects.update(letter="F", percent=Decimal(0), passed=False)
    enroll(world, "S-0", grade=("A", "1", True))
    ProgramCourseEnrollment.objects.filter(learner=first).delete()
    Learner.objects.filter(pk=second.pk).update(
        student_key="S-2b", student_key_normalized="s-2b", user=None, link_how=""
    )
    assert first.user is not None
    first.user.delete()

    assert json.dumps(read(world).page.rows) == before
    assert json.dumps(rows_of(world, 1)) == before


def test_frozen_twice_is_refused_until_reopened(world: World) -> None:
    enroll(world, "S-1", grade=("A", "0.925", True))
    first = freeze(world)
    with pytest.raises(AlreadyFrozen):
        freeze(world)

    ended = reopen(world)
    with pytest.raises(NotFrozen):
        reopen(world)
    CourseGrade.objects.update(letter="B", percent=Decimal("0.8"))
    live = read(world)
    second = freeze(world, reason="Appeal", now=LATER)

    assert (ended.version, ended.reopened_at, ended.reopen_reason) == (1, LATER, "A mistake")
    assert (live.frozen, live.page.rows[0]["letter_grade"]) == (False, "B")
    assert (first.version, second.version) == (1, 2)
    assert rows_of(world, 1) == [{"student_key": "S-1", "letter_grade": "A", "percent": 0.925, "passed": True}]
    assert rows_of(world, 2) == [{"student_key": "S-1", "letter_grade": "B", "percent": 0.8, "passed": True}]
    assert first.digest != second.digest
    told = api.fetch_freezes(program=world.program, course_run=world.course_run, cursor=None, page_size=10).rows
    assert told[0] == {
        **first.receipt(),
        "retired": 0,
        "reopened_by": "",
        "reopened_at": LATER,
        "reopen_reason": "A mistake",
    }
    assert told[1] == {
        **second.receipt(),
        "retired": 0,
        "reopened_by": None,
        "reopened_at": None,
        "reopen_reason": None,
    }


def test_what_was_never_frozen_cannot_be_reopened(world: World) -> None:
    with pytest.raises(NotFrozen):
        reopen(world)


def test_a_run_in_two_programs_freezes_in_each_by_itself(world: World) -> None:
    curriculum = CurriculumFactory(program__school=world.school)
    world.course_run.curricula.add(curriculum)
    enroll(world, "S-1", grade=("A", "0.9", True))

    freeze(world, program=curriculum.program)

    assert read(world).frozen is False
    assert freeze(world).version == 1
    assert [row.count for row in GradeFreeze.objects.order_by("pk")] == [0, 1]


def test_nobody_to_grade_is_an_empty_version(world: World) -> None:
    version = freeze(world)

    assert (version.count, version.digest) == (0, hashlib.sha256(b"[]").hexdigest())
    enroll(world, "S-1", grade=("A", "0.9", True))
    assert read(world).page.rows == []
    assert read(world).frozen is True


def test_equal_keys_stay_two_rows_in_one_order(world: World) -> None:
    enroll(world, "ann@uni.example", grade=("A", "0.9", True))
    enroll(world, "", learner={"email": "ann@uni.example"}, grade=("B", "0.8", True))

    version = freeze(world)

    rows = rows_of(world, 1)
    assert [row["letter_grade"] for row in rows] == ["A", "B"]
    assert version.digest == digest_of(rows)


def test_all_of_a_program_freeze_together(world: World) -> None:
    runs: list[CourseRun] = [
        world.course_run,
        CourseRunFactory(course_id="course-v1:A+A+A", curricula=[world.curriculum]),
        CourseRunFactory(
            course_id="course-v1:B+B+B",
            curricula=[world.curriculum, CurriculumFactory(program=world.program, is_active=False)],
        ),
    ]
    CourseRunFactory()
    enroll(world, "S-1", grade=("A", "0.9", True))
    freeze(world, course_run=runs[1])

    entries = api.freeze_program_grades(program=world.program, origin=origin("End of year"), now=LATER)

    versions = [entry for entry in entries if isinstance(entry, api.FrozenVersion)]
    assert len(versions) == len(entries)
    assert [version.course_id for version in versions] == sorted([runs[0].course_id, runs[2].course_id])
    assert {(version.version, version.reason, version.frozen_at) for version in versions} == {(1, "End of year", LATER)}
    assert sorted(version.count for version in versions) == [0, 1]
    with pytest.raises(AlreadyFrozen):
        api.freeze_program_grades(program=world.program, origin=origin())


def test_a_program_without_course_runs_has_nothing_to_freeze(db: None) -> None:
    with pytest.raises(AlreadyFrozen):
        api.freeze_program_grades(program=CurriculumFactory().program, origin=origin())


class BrokenHost(DemoHost):
    """A host that cannot tell the grades of one course run."""

    broken = ""

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, *, course_id: str, user_ids: Any) -> Any:
        if course_id == self.broken:
            raise HostError
        return DemoHost().grades.fetch_grades(course_id=course_id, user_ids=user_ids)


def test_where_the_host_fails_nothing_is_frozen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = CourseRunFactory(course_id="course-v1:A+A+A", curricula=[world.curriculum])
    enroll(world, "S-1", grade=("A", "0.9", True))
    monkeypatch.setattr(BrokenHost, "broken", world.course_run.course_id)

    with override_settings(PROGRAM_ENROLLMENTS={"HOST": f"{__name__}.BrokenHost"}):
        with pytest.raises(HostError):
            freeze(world)
        assert not GradeFreeze.objects.exists()
        frozen, failed = api.freeze_program_grades(program=world.program, origin=origin())

    assert (frozen.course_id, failed) == (
        other.course_id,
        api.FreezeFailure(world.course_run.course_id, HostError.detail),
    )
    assert GradeFreeze.objects.get().book.course_run == other
    assert freeze(world).version == 1


def test_a_retired_person_leaves_no_identifier(world: World) -> None:
    gone = enroll(world, "S-1", grade=("A", "0.925", True))
    stays = enroll(world, "S-2", grade=("B", "0.8", True))
    freeze(world)
    reopen(world)
    second = freeze(world)

    with transaction.atomic():
        changed = api.retire_from_freezes(pseudonyms={gone.pk: "retired-x", stays.pk + 10**6: "retired-y"})

    assert changed == 2
    for number in (1, 2):
        assert rows_of(world, number) == [
            {"student_key": "retired-x", "letter_grade": "A", "percent": 0.925, "passed": True},
            {"student_key": "S-2", "letter_grade": "B", "percent": 0.8, "passed": True},
        ]
        version = api.get_freeze(program=world.program, course_run=world.course_run, version=number).version
        assert (version.count, version.retired, version.digest) == (2, 1, second.digest)
    assert read(world).page.rows == rows_of(world, 2)
    assert not FrozenGrade.objects.filter(student_key="S-1").exists()


def test_retiring_again_counts_nobody_twice(world: World) -> None:
    gone = enroll(world, "S-1")
    other = enroll(world, "S-2")
    freeze(world)

    for pseudonym in ("retired-x", "retired-z"):
        with transaction.atomic():
            assert api.retire_from_freezes(pseudonyms={gone.pk: pseudonym}) == 1
        assert rows_of(world, 1)[0]["student_key"] == pseudonym
        assert GradeFreeze.objects.get().retired == 1
    with transaction.atomic():
        assert api.retire_from_freezes(pseudonyms={gone.pk: "retired-z", other.pk: "retired-y"}) == 2
    assert GradeFreeze.objects.get().retired == 2
    with transaction.atomic():
        assert api.retire_from_freezes(pseudonyms={}) == 0


def test_more_learners_take_more_chunks_and_nothing_else(world: World) -> None:
    """Statements of a freeze: a fixed number, and two for each chunk of learners (what grade, insert)."""
    counts = []
    for size in (50, 200):
        run = CourseRunFactory(curricula=[world.curriculum])
        enroll_many(world, run, size)
        with (
            override_settings(PROGRAM_ENROLLMENTS={"HOST": "demo_lms.host.DemoHost", "CHUNK_SIZE": 40}),
            CaptureQueriesContext(connection) as captured,
        ):
            assert freeze(world, course_run=run).count == size
        counts.append(len(captured))

    # 50 learners are two chunks, 200 are five.
    assert counts[1] - counts[0] == 3 * 2


def test_ten_thousand_learners_are_a_few_dozen_statements(world: World) -> None:
    enroll_many(world, world.course_run, 10_000)

    with CaptureQueriesContext(connection) as captured:
        version = freeze(world)

    assert version.count == 10_000
    assert FrozenGrade.objects.count() == 10_000
    assert len(captured) <= 40
    assert digest_of(rows_of(world, 1)) == version.digest


def test_a_grade_of_another_user_is_not_mixed_up(world: World) -> None:
    CourseGradeFactory(course_run_id=world.course_run.course_id)
    enroll(world, "S-1", grade=("B", "0.83", True))
    freeze(world)

    assert [row["student_key"] for row in rows_of(world, 1)] == ["S-1"]
