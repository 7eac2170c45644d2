"""What the database itself refuses of grade books, versions and frozen grades."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from program_enrollments.models import CourseRun, FrozenGrade, GradeBook, GradeFreeze
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, LearnerFactory

NOW = datetime(2026, 6, 30, 12, 0, 0, 123456, tzinfo=UTC)


def make_freeze(book: GradeBook, version: int, **more: Any) -> GradeFreeze:
    return GradeFreeze.objects.create(
        **{
            "book": book,
            "version": version,
            "frozen_at": NOW,
            "reason": "x",
            "count": 1,
            "digest": "0" * 64,
            **more,
        }
    )


def test_the_database_keeps_the_rules(db: None) -> None:
    curriculum = CurriculumFactory()
    program, course_run = curriculum.program, CourseRunFactory(curricula=[curriculum])
    learner = LearnerFactory(school=program.school)
    book = GradeBook.objects.create(program=program, course_run=course_run)
    standing = make_freeze(book, 1)

    def refused(work: Any) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            work()

    refused(lambda: GradeBook.objects.create(program=program, course_run=course_run))
    refused(lambda: make_freeze(book, 2))  # two in force
    refused(lambda: make_freeze(book, 1, reopened_at=NOW, reopen_reason="x"))  # a version twice
    refused(lambda: make_freeze(book, 0, reopened_at=NOW, reopen_reason="x"))
    refused(lambda: make_freeze(book, 2, reopened_at=NOW, reopen_reason=""))
    refused(lambda: GradeFreeze.objects.filter(pk=standing.pk).update(reopen_reason="x"))
    refused(lambda: GradeFreeze.objects.filter(pk=standing.pk).update(reason=""))
    refused(lambda: GradeFreeze.objects.filter(pk=standing.pk).update(retired=2))

    grade = {"freeze": standing, "student_key": "S-1", "percent": Decimal("0.5"), "passed": True}
    FrozenGrade.objects.create(position=1, learner=learner, **grade)
    refused(lambda: FrozenGrade.objects.create(position=1, learner_id=learner.pk + 1, **grade))
    refused(lambda: FrozenGrade.objects.create(position=2, learner=learner, **grade))
    for wrong in (
        {"percent": Decimal("1.001")},
        {"percent": Decimal("-0.001")},
        {"percent": None},
        {"passed": None},
        {"letter_grade": ""},
        {"error": "x"},
        {"error": "x", "percent": None},
        {"error": "x", "percent": None, "passed": None, "letter_grade": "A"},
    ):
        refused(
            lambda wrong=wrong: FrozenGrade.objects.create(position=3, learner_id=learner.pk + 1, **{**grade, **wrong})
        )
    with pytest.raises(ProtectedError):
        standing.delete()
    with pytest.raises(ProtectedError):
        book.delete()
    with pytest.raises(ProtectedError):
        CourseRun.objects.filter(pk=course_run.pk).delete()
