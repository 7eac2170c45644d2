"""Multi-row statements behave alike on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from program_enrollments.models import (
    Learner,
    LedgerPosition,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    School,
)
from program_enrollments.sql.bulk import can_return_rows, delete_rows, insert_rows, select_rows, update_rows
from tests.factories.enrollment import (
    CurriculumFactory,
    LearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramFactory,
    SchoolFactory,
)
from tests.rows_read import count_rows_read

NOW = datetime(2026, 5, 4, 3, 2, 1, 654321, tzinfo=UTC)
FIELDS = (
    "school",
    "student_key",
    "student_key_normalized",
    "email",
    "link_how",
    "problem_code",
    "problem_detail",
    "created",
    "modified",
)
MOMENTS = ("created", "modified")


def row(school: School, key: str) -> tuple[object, ...]:
    return (school.pk, key, key.lower(), "", "", "", "", NOW, NOW)


@pytest.fixture
def school(db: None) -> School:
    return SchoolFactory()


def insert(rows: list[tuple[object, ...]], **options: object) -> list[tuple[object, ...]]:
    return insert_rows(Learner, fields=FIELDS, rows=rows, **options)  # type: ignore[arg-type]


def test_inserted_rows_are_what_was_given(school: School) -> None:
    insert([row(school, "S-1"), row(school, "Ünïcödé 学生")])
    learners = Learner.objects.order_by("pk")
    assert [(each.student_key, each.created, each.email_normalized) for each in learners] == [
        ("S-1", NOW, None),
        ("Ünïcödé 学生", NOW, None),
    ]


def test_conflicting_rows_can_be_left_out(school: School) -> None:
    LearnerFactory(school=school, student_key="S-1")
    answer = insert(
        [row(school, "S-1"), row(school, "S-2")], ignore_conflicts=True, returning=["student_key_normalized"]
    )
    assert answer == ([("s-2",)] if can_return_rows(connection) else [])
    assert Learner.objects.count() == 2


def test_rows_that_are_there_already_can_be_updated_or_left_as_they_are(school: School) -> None:
    known = LearnerFactory(school=school, student_key="S-1", email="")
    before = Learner.objects.get(pk=known.pk)
    unique = ("school", "student_key_normalized")
    insert([(*row(school, "S-1")[:3], "left@x.example", *row(school, "S-1")[4:])], unique=unique)
    assert Learner.objects.get().email == ""
    rows = [(*row(school, key)[:3], f"{key}@x.example", *row(school, key)[4:]) for key in ("S-1", "S-2")]
    insert(rows, unique=unique, update=["email"])
    stored = list(Learner.objects.order_by("pk").values_list("pk", "email", "created"))
    assert stored[0] == (known.pk, "S-1@x.example", before.created)
    assert [email for _, email, _ in stored] == ["S-1@x.example", "S-2@x.example"]


def test_numbers_can_be_added_to_those_that_are_there_already(school: School) -> None:
    first, second = sorted((ProgramFactory(school=school).pk, ProgramFactory(school=school).pk))
    fields = ("program_id", "last_position")

    def add(*rows: tuple[int, int]) -> list[tuple[int, int]]:
        answer = insert_rows(
            LedgerPosition, fields=fields, rows=rows, unique=["program_id"], add=["last_position"], returning=fields
        )
        assert answer == [] or can_return_rows(connection)
        return sorted(answer or LedgerPosition.objects.values_list(*fields))

    assert add((second, 3)) == [(second, 3)]
    assert add((first, 7), (second, 10)) == [(first, 7), (second, 13)]
    assert sorted(LedgerPosition.objects.values_list(*fields)) == [(first, 7), (second, 13)]


def test_some_fields_can_be_added_to_while_others_are_replaced(school: School) -> None:
    enrollment = PreemptiveCourseEnrollmentFactory(learner__school=school, tries=2, refusals=5, problem_code="old")
    row = (enrollment.program_id, enrollment.course_run_id, enrollment.learner_id, "active", False, "new", "", 1, 1)
    unique = ("program", "course_run", "learner")
    insert_rows(
        PreemptiveCourseEnrollment,
        fields=(*unique, "status", "course_staff", "problem_code", "problem_detail", "tries", "refusals", *MOMENTS),
        rows=[(*row, NOW, NOW)],
        unique=unique,
        update=["problem_code", "modified"],
        add=["tries"],
    )
    stored = PreemptiveCourseEnrollment.objects.get()
    assert (stored.pk, stored.tries, stored.refusals, stored.problem_code) == (enrollment.pk, 3, 5, "new")
    assert (stored.created, stored.modified) == (enrollment.created, NOW)


def test_conflicting_rows_fail_otherwise(school: School) -> None:
    LearnerFactory(school=school, student_key="S-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([row(school, "S-1")])


def test_rows_that_share_values_are_inserted_like_any_others(school: School) -> None:
    """Whatever columns happen to be the same throughout: all of them, none, the first one."""
    head, tail = (school.pk,), ("", "", "", "", NOW, NOW)
    later = NOW + timedelta(days=1)
    insert([(*head, "S-1", "s-1", *tail)])
    insert([(*head, "S-2", "s-2", *tail), (*head, "S-3", "s-3", "a@x.example", "", "", "", later, NOW)])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([(*head, "S-4", "s-4", *tail)] * 2)
    stored = Learner.objects.order_by("pk").values_list("student_key", "email", "created")
    assert list(stored) == [("S-1", "", NOW), ("S-2", "", NOW), ("S-3", "a@x.example", later)]


def test_more_rows_than_a_statement_can_hold_take_some_more(school: School) -> None:
    count = 20_000
    answer = insert(
        [(school.pk, f"S-{n}", f"s-{n}", f"e-{n}", "", "", "", NOW, NOW) for n in range(count)],
        returning=["student_key"],
    )
    assert Learner.objects.count() == count
    assert len(answer) == (count if can_return_rows(connection) else 0)


@pytest.mark.only_on("postgresql", "mariadb")
def test_what_is_too_long_fails_instead_of_being_cut(school: School) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert([row(school, "x" * 256)])


def test_each_row_gets_values_of_its_own(school: School) -> None:
    learners = [LearnerFactory(school=school) for _ in range(700)]
    update_rows(
        Learner,
        fields=("problem_detail", "problem_at"),
        rows=[(learner.pk, f"no. {number}", NOW if number % 2 else None) for number, learner in enumerate(learners)],
    )
    found = list(Learner.objects.order_by("pk").values_list("problem_detail", "problem_at"))
    assert found == [(f"no. {number}", NOW if number % 2 else None) for number in range(700)]


def test_updated_rows_are_all_or_none(transactional_db: None) -> None:
    school = SchoolFactory()
    learners = [LearnerFactory(school=school, student_key=key) for key in ("S-1", "S-2", "S-3")]
    taken = [(learners[0].pk, "s-9"), (learners[1].pk, "s-3")]
    with pytest.raises(IntegrityError):
        update_rows(Learner, fields=["student_key_normalized"], rows=taken)
    stored = Learner.objects.order_by("pk").values_list("student_key_normalized", flat=True)
    assert list(stored) == ["s-1", "s-2", "s-3"]


def test_an_update_passes_over_rows_that_are_gone(school: School) -> None:
    learner = LearnerFactory(school=school)
    update_rows(Learner, fields=["problem_code"], rows=[(learner.pk + 1, "gone"), (learner.pk, "here")])
    update_rows(Learner, fields=["problem_code"], rows=[])
    assert list(Learner.objects.values_list("problem_code", flat=True)) == ["here"]


def test_rows_are_selected_once_each_and_of_one_school_only(school: School) -> None:
    keys = ["plain", 'quote " and \\ back', "comma, {brackets}", "100%s"]
    insert([row(school, key) for key in [*keys, "not asked for"]])
    elsewhere = SchoolFactory()
    insert([row(elsewhere, "plain")])
    asked = [*keys, *keys, "nobody"]
    found = select_rows(
        Learner, fields=("school", "student_key"), among=("student_key_normalized", asked), school=school.pk
    )
    assert sorted(found) == sorted((school.pk, key) for key in keys)


@pytest.mark.only_on("postgresql", "mariadb")
def test_what_a_unique_index_finds_is_looked_up_there_also_in_tables_nobody_has_analyzed(school: School) -> None:
    program = ProgramFactory(school=school)
    insert([row(school, f"S-{number}") for number in range(3_000)])
    ids = list(Learner.objects.values_list("pk", flat=True))
    now = dict.fromkeys(("created", "modified"), NOW)
    fields = ("program", "learner", "curriculum", "status", *now)
    curriculum = CurriculumFactory(program=program).pk
    insert_rows(
        PreemptiveProgramEnrollment,
        fields=fields,
        rows=[(program.pk, pk, curriculum, "enrolled", *now.values()) for pk in ids],
    )
    found: list[tuple[int]] = []

    def select() -> None:
        found[:] = select_rows(
            PreemptiveProgramEnrollment, fields=["learner"], among=("learner", ids[:200]), program=program.pk
        )

    assert count_rows_read(select) <= 2 * 200
    assert sorted(pk for (pk,) in found) == sorted(ids[:200])


def test_deleted_rows_come_back_as_the_orm_would_give_them(school: School) -> None:
    gone, kept = LearnerFactory(school=school), LearnerFactory(school=school)
    Learner.objects.update(created=NOW)
    answer = delete_rows(Learner, field="id", values=[gone.pk], returning=("student_key", "created", "user"))
    assert answer == [(gone.student_key, NOW, None)]
    assert Learner.objects.get() == kept


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_any_number_of_rows_takes_one_statement_at_most(
    school: School, count: int, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(min(count, 1)):  # type: ignore[operator]
        insert([row(school, f"S-{number}") for number in range(count)])
    assert Learner.objects.count() == count


def test_equality_is_by_code_points_whatever_the_collation(school: School) -> None:
    insert([row(school, key) for key in ("e", "é", "ß", "ss", "a b", "a  b")])
    assert Learner.objects.filter(student_key_normalized="e").count() == 1
    with connection.cursor() as cursor:
        table = Learner._meta.db_table
        cursor.execute(f"SELECT student_key_normalized FROM {table} ORDER BY student_key_normalized")
        order = [key for (key,) in cursor.fetchall()]
    assert order == sorted(order)
