"""`import_platform_enrollments`: take over enrollments of Open edX's own app (docs/openedx.rst)."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.exceptions import WriteInterrupted
from program_enrollments.host.openedx.built_in_app import (
    LEFT_OUT,
    BuiltInPage,
    Looked,
    find_absent,
    is_built_in_app_there,
    read_pages,
)

COLUMNS = ("table", "id", "what", "detail")
TABLES = {"program": "program_enrollments_programenrollment", "course": "program_enrollments_programcourseenrollment"}
Write = Callable[[str, int, str, str], object]


class Command(BaseCommand):
    help = (
        "Takes over the program and course enrollments of Open edX's own program_enrollments app. Its tables are only "
        "read. Can be repeated until the switch: what is here already stays as it is, what differs becomes as it is "
        "there. With --dry-run nothing is written: it then shows where the two differ. Exits with 1 if something could "
        "not be taken over."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Write nothing, and show what would be done.")
        parser.add_argument("--after", type=int, default=0, metavar="ID", help="Go on behind this ID, as printed.")
        parser.add_argument("--size", type=int, default=500, help="Rows per transaction and page (500).")
        parser.add_argument(
            "--report", type=Path, help="A CSV file for what was not taken over, and what differs. Has no student IDs."
        )
        parser.add_argument(
            "--both-ways", action="store_true", help="Also show enrollments that are here and not there (only-here)."
        )
        parser.add_argument("--reason", default="", help="Kept in the ledger for good.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_built_in_app_there():
            raise CommandError("This LMS has no app lms.djangoapps.program_enrollments: there is nothing to take over.")
        if options["size"] < 1 or options["after"] < 0 or len(options["reason"]) > 500:
            raise CommandError("--size has to be 1 or more, --after 0 or more, --reason at most 500 characters long.")
        origin = Origin(source=Source.COMMAND.value, reason=options["reason"])
        totals: Counter[str] = Counter()
        done = options["after"]
        with _report_to(options["report"]) as write:
            try:
                for page in read_pages(after=done, size=options["size"]):
                    taken = api.take_over_enrollments(
                        enrollments=_translate(page), origin=origin, dry_run=options["dry_run"]
                    )
                    _note(page, taken, totals, write)
                    done = page.last
                    if options["verbosity"] > 1:
                        self.stdout.write(f"Done up to ID {done}.")
                if options["both_ways"]:
                    _note_only_here(totals, write, size=options["size"])
            except WriteInterrupted as error:
                raise CommandError(f"{error.detail} Go on with --after {done}.") from None
        self._tell(totals, dry_run=options["dry_run"])

    def _tell(self, totals: Counter[str], *, dry_run: bool) -> None:
        would = "would be" if dry_run else "were"
        self.stdout.write(
            f"Program enrollments: {totals['changed program']} {would} written, "
            f"{totals['unchanged program']} are here already."
        )
        self.stdout.write(
            f"Course enrollments: {totals['changed course']} {would} written, "
            f"{totals['unchanged course']} are here already."
        )
        self.stdout.write(f"Learners {would} linked to their accounts: {totals['linked']}.")
        if totals["only here"]:
            self.stdout.write(f"Here and not there: {totals['only here']}.")
        for name, count in sorted((name, count) for name, count in totals.items() if name.startswith("not ")):
            self.stdout.write(f"Not taken over, {name.removeprefix('not ')}: {count}.")
        if failed := sum(count for name, count in totals.items() if name.startswith("not ")):
            raise CommandError(f"{failed} rows could not be taken over. --report names them.")


def _translate(page: BuiltInPage) -> list[api.EarlierEnrollment]:
    return [
        api.EarlierEnrollment(
            reference=row.id,
            program_uuid=row.program_uuid,
            curriculum_uuid=row.curriculum_uuid,
            student_key=row.student_key,
            user_id=row.user_id,
            status=row.status,
            courses=tuple(api.EarlierCourse(*course) for course in row.courses),
        )
        for row in page.enrollments
    ]


def _note(page: BuiltInPage, taken: api.TakeOver, totals: Counter[str], write: Write) -> None:
    for row_id, why in page.left_out.items():
        totals[f"not program: {why}"] += 1
        write(TABLES["program"], row_id, why, LEFT_OUT[why])
    for problem in taken.not_taken:
        totals[f"not {problem.kind}: {problem.problem}"] += 1
        write(TABLES[problem.kind], problem.reference, problem.problem, problem.detail)
    for kind, reference in taken.differing:
        write(TABLES[kind], reference, "differs", "")
    for kind in TABLES:
        totals[f"changed {kind}"] += taken.changed[kind]
        totals[f"unchanged {kind}"] += taken.unchanged[kind]
    totals["linked"] += taken.linked


def _note_only_here(totals: Counter[str], write: Write, *, size: int) -> None:
    for page in api.walk_own_enrollments(size=size):
        looked = [Looked(row.program_uuid, row.student_key, row.user_id, row.course_id) for row in page]
        for place in find_absent(looked=looked):
            totals["only here"] += 1
            write(page[place].table, page[place].id, "only-here", "")


@contextmanager
def _report_to(path: Path | None) -> Iterator[Write]:
    """Yield what writes a line of the report; nothing is kept in memory."""
    if path is None:
        yield lambda *line: None
        return
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            yield lambda *line: writer.writerow(line)
    except OSError as error:
        raise CommandError(f"The report cannot be written: {error.strerror}.") from None
