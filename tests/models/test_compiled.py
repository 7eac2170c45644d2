"""A compiled query answers as the query it was made of, whatever values it is run with."""

from __future__ import annotations

import pytest
from django.db.models import QuerySet

from program_enrollments.models import Learner
from program_enrollments.models.compiled import CompiledQuery, Slot
from tests.factories.enrollment import LearnerFactory, SchoolFactory


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
