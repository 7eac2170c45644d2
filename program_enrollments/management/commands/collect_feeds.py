"""`collect_feeds`: make jobs of the files that schools have dropped (docs/feeds.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from program_enrollments import api


class Command(BaseCommand):
    help = (
        "Looks at the folders of all schools' feeds once, makes a job of each complete file, and moves it to the "
        "folder processed or rejected. A file without a .done beside it is complete if an earlier look has seen the "
        "same size and time. run_jobs and Celery do the same by themselves. The exit status is 1 if a school's folder "
        "cannot be used."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not api.has_feed_storage():
            raise CommandError("There is no storage for feeds. Add the alias in FEED_STORAGE to STORAGES.")
        collected = api.collect_feeds(now=timezone.now())
        if options["verbosity"] > 0:
            self.stdout.write(
                f"Looked at: schools {collected.schools}. Files taken {collected.taken}, rejected {collected.rejected}."
            )
        if collected.problems:
            raise CommandError("\n".join(collected.problems))
