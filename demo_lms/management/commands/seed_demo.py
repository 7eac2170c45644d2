"""Makes the demo's data."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from demo_lms.demo_data import seed


class Command(BaseCommand):
    help = (
        "Make the demo's universities, learners and API clients where they are missing. Doing it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--base-url", default="http://127.0.0.1:8000", help="Address of the site, for links (default: %(default)s)."
        )

    def handle(self, *args: Any, base_url: str, **options: Any) -> None:
        seed(base_url=base_url.rstrip("/"), now=timezone.now())
        self.stdout.write(self.style.SUCCESS("The demo's data is there."))
