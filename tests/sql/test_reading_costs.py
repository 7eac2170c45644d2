"""What look-ups of a thousand values read does not grow with the table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from program_enrollments.models import Learner, StagedRow
from program_enrollments.sql.bulk import insert_rows
from program_enrollments.sql.occurrence import find_occurring
from tests.factories.enrollment import SchoolFactory
from tests.rows_read import analyze, count_rows_read, renew_tables

NOW = datetime(2026, 5, 4, tzinfo=UTC)
VALUES = 1_000


@pytest.mark.only_on("postgresql")
def test_texts_are_looked_up_in_the_index_of_a_table_of_some_size(db: None) -> None:
    """Given as an array, they would have PostgreSQL read such a table whole."""
    renew_tables(Learner)
    school, count = SchoolFactory(), 60_000
    same = {"school": school.pk, "link_how": "", "problem_code": "", "problem_detail": "", "created": NOW}
    same |= {"modified": NOW}
    insert_rows(
        Learner,
        fields=("student_key", "student_key_normalized", "email", "email_normalized", *same),
        rows=[(f"S-{n}", f"s-{n}", f"s{n}@x.example", f"s{n}@x.example", *same.values()) for n in range(count)],
    )
    analyze(Learner)
    wanted = [f"s{number}@x.example" for number in range(0, count, count // VALUES)]
    learners = Learner.objects.filter(email_normalized__among=wanted).order_by().values_list("pk")

    assert count_rows_read(lambda: list(learners)) <= 2 * VALUES


def test_each_text_is_looked_up_in_the_index_of_a_table_without_statistics(db: None) -> None:
    renew_tables(StagedRow)
    texts = ("student_key", "email", "status", "detail_column", "course_key", "email_normalized", "email_owner")
    same = dict.fromkeys((*texts, "word", "detail"), "") | {"alters": False, "removes": False}
    insert_rows(
        StagedRow,
        fields=("job", "number", "name", *same),
        rows=[(job, number, f"s-{number}", *same.values()) for job in (1, 2) for number in range(4_000)],
    )
    wanted = [f"s-{number}" for number in range(0, 8_000, 8)]
    found: set[str] = set()

    def find() -> None:
        found.update(find_occurring(StagedRow, index="ue_staged_row_name", field="name", values=wanted, job=1))

    # On SQLite: instructions by the hundred, a few dozen per value.
    assert count_rows_read(find) <= 2 * len(wanted)
    assert found == set(wanted[:500])
