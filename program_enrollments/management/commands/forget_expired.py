"""`forget_expired`: delete expired rows (docs/operations.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from program_enrollments import api


class Command(BaseCommand):
    help = (
        "Deletes expired answers that were kept for repeated requests, digests of expired assertions, files of jobs "
        "with what became of their lines, links mailed to people a month after they ended, delivered webhook "
        "messages, records of who looked at personal data, and mails to contacts. Can be run daily, beside everything "
        "else, and stopped at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        forgotten = api.forget_expired(now=timezone.now())
        if options["verbosity"] > 0:
            self.stdout.write(
                f"Forgotten: assertions {forgotten.assertions}, kept answers {forgotten.answers}, files "
                f"{forgotten.files}, outcomes {forgotten.outcomes}, links {forgotten.links}, webhook messages "
                f"{forgotten.messages}, looks at personal data {forgotten.disclosures}, "
                f"mails {forgotten.mails}."
            )
