"""The lookup `among` finds what `in` finds, in one parameter where the database takes one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments.models import Learner, PreemptiveProgramEnrollment
from program_enrollments.normalization import normalize_identity
from tests.factories.enrollment import LearnerFactory, PreemptiveProgramEnrollmentFactory, SchoolFactory


def test_it_finds_strings_as_they_are(db: None) -> None:
    school = SchoolFactory()
    keys = ["plain", 'quote " and \\ back', "Ünïcödé 学生", "e", "comma, brackets [1] {2}", "100%", "%s"]
    for key in keys:
        LearnerFactory(school=school, student_key=key)
    LearnerFactory(school=school, student_key="é")
    wanted = {normalize_identity(key) for key in keys}
    found = Learner.objects.filter(school=school, student_key_normalized__among=wanted)
    assert sorted(found.values_list("student_key", flat=True)) == sorted(keys)


@pytest.mark.parametrize("collection", [list, tuple, set, frozenset, dict.fromkeys])
def test_it_finds_integers_of_columns_and_of_relations(db: None, collection: type) -> None:
    learners = [LearnerFactory() for _ in range(3)]
    for learner in learners:
        PreemptiveProgramEnrollmentFactory(learner=learner)
    ids = collection([learner.pk for learner in learners[:2]])
    assert Learner.objects.filter(pk__among=ids).count() == 2
    assert PreemptiveProgramEnrollment.objects.filter(learner_id__among=ids).count() == 2
    assert PreemptiveProgramEnrollment.objects.exclude(learner__among=ids).count() == 1


def test_it_takes_more_values_than_a_statement_may_have_parameters(db: None) -> None:
    learner = LearnerFactory()
    many = range(learner.pk, learner.pk + 100_000)
    assert Learner.objects.filter(pk__among=many).get() == learner
    assert Learner.objects.filter(pk__among=set(many)).update(problem_detail="seen") == 1


def test_nothing_is_among_nothing_and_no_statement_says_so(db: None) -> None:
    LearnerFactory()
    with CaptureQueriesContext(connection) as captured:
        assert not Learner.objects.filter(pk__among=set()).exists()
        assert Learner.objects.filter(pk__among=[]).update(problem_detail="seen") == 0
    assert not captured.captured_queries


@pytest.mark.only_on("postgresql")
def test_integers_are_compared_as_the_columns_own_type() -> None:
    """With any other, PostgreSQL goes through all values for every row that it reads by another condition."""
    # Accounts of the demo LMS are numbered by `integer`, this app's tables by `bigint`.
    assert "::integer[]" in str(Learner.objects.filter(user__among={1}).query)
    assert "::bigint[]" in str(Learner.objects.filter(pk__among={1}).query)
