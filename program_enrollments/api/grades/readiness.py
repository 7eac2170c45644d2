"""Readiness: whether a course run's grades can be frozen, and how they are distributed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from program_enrollments.api.grades.final_grades import grade_learners
from program_enrollments.api.grades.freezes import FREEZE_COLUMNS, FrozenVersion
from program_enrollments.api.grades.frozen_grades import walk_frozen
from program_enrollments.api.grades.members import gather_page
from program_enrollments.host.deadline import limited
from program_enrollments.models import CourseRun, GradeFreeze, Program

MOST = 2_000
"""Grades that are looked at for a summary: enough for a course run, and not too many for a page."""

CLASSES = 10


@dataclass(frozen=True, slots=True)
class GradeSummary:
    """How the grades of a course run stand: live, or of the version in force.

    `classes` are how many have 0–10 %, 10–20 % and so on; `letters` how many have each letter. `missing` are the
    learners without a grade, by reason. Where `is_partial`, only the first `MOST` learners were looked at.
    """

    standing: FrozenVersion | None = None
    graded: int = 0
    passed: int = 0
    classes: tuple[int, ...] = (0,) * CLASSES
    letters: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    is_partial: bool = False

    @property
    def learners(self) -> int:
        """The learners that were looked at."""
        return self.graded + self.ungraded

    @property
    def ungraded(self) -> int:
        """The learners without a grade."""
        return sum(self.missing.values())


@dataclass(frozen=True, slots=True)
class RunState:
    """A course run of a program, and the version of its grades in force, if any."""

    course_run: CourseRun
    version: int | None
    frozen_at: datetime | None
    count: int | None


def fetch_run_states(*, program: Program) -> list[RunState]:
    """Return the program's course runs by key, each with its grades' state. Two statements."""
    standing = {
        run_id: found
        for run_id, *found in GradeFreeze.objects.filter(
            book__program=program, standing_book__isnull=False
        ).values_list("book__course_run_id", "version", "frozen_at", "count")
    }
    runs = CourseRun.objects.filter(curricula__program=program).distinct().order_by("course_id")
    return [RunState(run, *standing.get(run.pk, (None, None, None))) for run in runs]


def summarize_grades(*, program: Program, course_run: CourseRun) -> GradeSummary:
    """Return how a course run's grades stand, with at most one call of the host. Raises HostError."""
    row = (
        GradeFreeze.objects.filter(book__program=program, book__course_run=course_run, standing_book__isnull=False)
        .values_list("pk", *FREEZE_COLUMNS)
        .first()
    )
    if row is not None:
        rows = list(islice(walk_frozen(freeze_id=row[0]), MOST + 1))
        return _summarize(rows, FrozenVersion(*row[1:]))
    page = gather_page(program=program, course_run=course_run, cursor=None, page_size=MOST + 1)
    with limited("CALL_HOST_SECONDS"):
        graded = grade_learners(course_run=course_run, learners=page.learners)
    return _summarize([one.render() for one in graded], None)


def _summarize(rows: list[dict[str, Any]], standing: FrozenVersion | None) -> GradeSummary:
    seen = rows[:MOST]
    graded = [row for row in seen if "error" not in row]
    classes = Counter(min(int(row["percent"] * CLASSES), CLASSES - 1) for row in graded)
    letters = Counter(row["letter_grade"] for row in graded if row["letter_grade"])
    return GradeSummary(
        standing=standing,
        graded=len(graded),
        passed=sum(bool(row["passed"]) for row in graded),
        classes=tuple(classes[number] for number in range(CLASSES)),
        letters=dict(sorted(letters.items())),
        missing=dict(Counter(row["error"] for row in seen if "error" in row).most_common()),
        is_partial=len(rows) > MOST,
    )
