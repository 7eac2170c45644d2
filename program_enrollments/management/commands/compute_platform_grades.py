"""`compute_platform_grades`: let Open edX compute grades that it has not stored (docs/openedx.rst)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.host.openedx.missing_grades import compute_grades, find_ungraded

SIZE = 500


class Command(BaseCommand):
    help = (
        "Lets Open edX compute the grades of learners of programs who worked in a course run and have no stored grade. "
        "It takes seconds per learner, and may issue certificates. Run it before grades are frozen. Exits with 1 if a "
        "grade could not be computed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--course", action="append", metavar="KEY", help="Only this course run. Repeatable.")
        parser.add_argument("--dry-run", action="store_true", help="Compute nothing, and count what is missing.")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = failed = 0
        for page in api.walk_own_enrollments(size=SIZE):
            users: defaultdict[str, set[int]] = defaultdict(set)
            for row in page:
                if (
                    row.course_id
                    and row.user_id is not None
                    and row.course_id in (options["course"] or [row.course_id])
                ):
                    users[row.course_id].add(row.user_id)
            for course_id, user_ids in sorted(users.items()):
                ungraded = find_ungraded(course_id=course_id, user_ids=user_ids)
                missing += len(ungraded)
                if not options["dry_run"]:
                    failed += sum(not worked for _, worked in compute_grades(course_id=course_id, user_ids=ungraded))
        if options["dry_run"]:
            self.stdout.write(f"Grades that would be computed: {missing}.")
            return
        self.stdout.write(f"Grades computed: {missing - failed}.")
        if failed:
            raise CommandError(f"{failed} grades could not be computed; the log names them.")
