"""`write_sample_files`: write `demo_lms/sample_files/` anew from the demo's data."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from demo_lms.demo_data.sample_files import FOLDER, write_sample_files


class Command(BaseCommand):
    help = "Writes the sample files for uploads anew from the demo's data."

    def handle(self, *args: Any, **options: Any) -> None:
        write_sample_files()
        self.stdout.write(f"The sample files are in {FOLDER.name}/.")
