"""Who is missing from a file is found by one descent of an index per person, however long the file is."""

from __future__ import annotations

from datetime import UTC, datetime

from program_enrollments.api.jobs.removals import fetch_missing
from program_enrollments.models import Job, Learner, PreemptiveProgramEnrollment, StagedRow
from program_enrollments.sql.bulk import insert_rows
from tests.api.conftest import World
from tests.rows_read import analyze, count_rows_read, renew_tables

NOW = datetime(2026, 5, 4, tzinfo=UTC)
PEOPLE = 1_000
LINES = 8_000


def test_what_is_read_per_person_does_not_grow_with_the_file(world: World) -> None:
    """As in life: the rows are new, and the table was analyzed when those of other jobs had just been deleted."""
    renew_tables(StagedRow, Learner)
    stage(jobs=(3, 4))
    StagedRow.objects.all().delete()
    analyze(StagedRow)
    insert_rows(
        Learner,
        fields=(
            *("school", "student_key", "student_key_normalized", "email", "email_normalized"),
            *("link_how", "problem_code", "problem_detail", "created", "modified"),
        ),
        rows=[(world.school.pk, *_identity(number), "", "", "", NOW, NOW) for number in range(PEOPLE)],
    )
    insert_rows(
        PreemptiveProgramEnrollment,
        fields=("program", "learner", "curriculum", "status", "created", "modified"),
        rows=[
            (world.program.pk, pk, world.curriculum.pk, "enrolled", NOW, NOW)
            for pk in Learner.objects.values_list("pk", flat=True)
        ],
    )
    stage(jobs=(1, 2))
    everybody = PreemptiveProgramEnrollment.objects.filter(program=world.program)
    missing: set[tuple[str, str]] = set()

    def find() -> None:
        missing.update((row[1], row[2]) for row in fetch_missing(Job(pk=1), None, everybody))

    # On SQLite: instructions by the hundred. Of each person the enrollment, the learner and one line are read.
    assert count_rows_read(find) <= 4 * PEOPLE
    assert missing == {("S-0", ""), ("", "s1@x.example")}


def stage(*, jobs: tuple[int, ...]) -> None:
    """Stage a file that names everybody but the first two, for each job."""
    texts = ("student_key", "email", "status", "detail_column", "course_key", "email_owner", "word", "detail")
    same = dict.fromkeys(texts, "") | {"alters": False, "removes": False}
    insert_rows(
        StagedRow,
        fields=("job", "number", "name", "email_normalized", *same),
        rows=[
            (job, number, _identity(number)[1] or "", _identity(number)[3] or "", *same.values())
            for job in jobs
            for number in range(2, LINES)
        ],
    )


def _identity(number: int) -> tuple[str, str | None, str, str | None]:
    """Return ID and address as given and normalized; every second person has an address only."""
    if number % 2:
        return "", None, f"s{number}@x.example", f"s{number}@x.example"
    return f"S-{number}", f"s-{number}", "", None
