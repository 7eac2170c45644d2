"""Running `refresh_metadata`, and what tests need to look at what comes of it."""

from __future__ import annotations

from io import StringIO

from django.core.management import CommandError, call_command

from program_enrollments import api
from program_enrollments.models import SamlConfiguration
from tests.saml.university import University


def fingerprint(university: University) -> str:
    return api.read_certificates(text=university.certificate)[0].fingerprint


def refresh(*arguments: str) -> tuple[str, str, int]:
    """Run the command; return what it wrote, its errors, and its status."""
    out, err = StringIO(), StringIO()
    try:
        call_command("refresh_metadata", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}{error}", error.returncode
    return out.getvalue(), err.getvalue(), 0


def pin(university: University) -> None:
    SamlConfiguration.objects.update(metadata_fingerprint=fingerprint(university))
