"""A compiled query answers as the query it was made of, whatever values it is run with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Exists, OuterRef, QuerySet
from pytest_django.fixtures import Settings

from program_enrollments.models import Curriculum, Learner, LedgerEntry
from program_enrollments.sql.compiled import CompiledQuery, Slot
from tests.factories.enrollment import CurriculumFactory, LearnerFactory, SchoolFactory


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def by_school(calls: list[str]) -> CompiledQuery:
    def write() -> QuerySet[Learner, tuple[int]]:
        calls.append("written")
        learners = Learner.objects.filter(school_id=Slot("school"), student_key_normalized__gte=Slot("first"))
        return learners.order_by("pk").values_list("pk")

    return CompiledQuery(model=Learner, write=write)


def test_it_is_written_once_and_run_with_other_values(db: None, by_school: CompiledQuery, calls: list[str]) -> None:
    one, other = SchoolFactory(), SchoolFactory()
    learners = [LearnerFactory(school=school, student_key=key) for school in (one, other) for key in ("a", "b %s")]
    assert by_school.fetch(school=one.pk, first="a") == [(learners[0].pk,), (learners[1].pk,)]
    assert by_school.fetch(school=other.pk, first="b") == [(learners[3].pk,)]
    assert by_school.fetch(first="c", school=other.pk) == []
    assert calls == ["written"]


def test_a_slot_must_be_given_a_value(db: None, by_school: CompiledQuery) -> None:
    with pytest.raises(KeyError):
        by_school.fetch(school=1)


def test_converted_rows_are_those_of_the_orm(db: None) -> None:
    def write(learner: Any) -> QuerySet[LedgerEntry, tuple[Any, ...]]:
        entries = LedgerEntry.objects.filter(learner_id=learner).order_by("pk")
        known = Exists(Learner.objects.filter(pk=OuterRef("learner_id")))
        return entries.annotate(known=known).values_list("pk", "at", "before", "program__uuid", "known")

    learner, program = LearnerFactory(), CurriculumFactory().program
    moments = [datetime(2026, 3, 29, 1, 30, 0, microsecond, tzinfo=UTC) for microsecond in (0, 1, 999_999)]
    for position, at in enumerate(moments):
        LedgerEntry.objects.create(program=program, position=position, at=at, learner=learner, before="a" * position)
    LedgerEntry.objects.create(at=moments[0], learner=learner)
    query = CompiledQuery(model=LedgerEntry, write=lambda: write(Slot("learner")))

    found = query.fetch_converted(learner=learner.pk)

    assert found == list(write(learner.pk))
    assert [row[1] for row in found] == [*moments, moments[0]]
    assert [type(value) for value in found[0]] == [int, datetime, str, type(program.uuid), bool]
    assert query.fetch_converted(learner=0) == []


class Chooser:
    """A database router that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def db_for_read(self, model: type, **hints: object) -> str:
        self.asked.append("read")
        return "default"

    def db_for_write(self, model: type, **hints: object) -> str:
        self.asked.append("write")
        return "default"


@pytest.mark.parametrize(("from_replica", "asked"), [(False, "write"), (True, "read")])
def test_it_reads_where_writes_go_unless_a_replica_will_do(
    db: None, settings: Settings, from_replica: bool, asked: str
) -> None:
    query = CompiledQuery(
        model=Curriculum,
        write=lambda: Curriculum.objects.using("default").filter(pk=Slot("curriculum")).values_list("pk"),
        from_replica=from_replica,
    )
    chooser = Chooser()
    settings.DATABASE_ROUTERS = [chooser]
    assert query.fetch(curriculum=0) == query.fetch_converted(curriculum=0) == []
    assert chooser.asked == [asked] * 2
