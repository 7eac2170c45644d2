"""What look-ups of a thousand values read does not grow with the table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from program_enrollments.models import Learner
from program_enrollments.sql.bulk import insert_rows
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
