"""Running `sync_catalog`, and the settings that name a Discovery."""

from __future__ import annotations

import io
from typing import Any

from django.core.management import CommandError, call_command
from pytest_django import Settings

from program_enrollments.models import Program


def configure(settings: Settings, **discovery: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "DISCOVERY": discovery}


class Synced:
    """What one run of the command wrote, and with which message and exit status it failed, if it did."""

    def __init__(self, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.error: str | None = None
        self.status = 0
        try:
            call_command("sync_catalog", stdout=out, stderr=err, **options)
        except CommandError as error:
            self.error, self.status = str(error), error.returncode
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def everything(self) -> str:
        return f"{self.out}{self.err}{self.error}"


def titles() -> set[str]:
    return set(Program.objects.values_list("title", flat=True))
