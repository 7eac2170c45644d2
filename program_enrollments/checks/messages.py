"""Errors and warnings, numbered under the app's label: university_enrollments.E001."""

from __future__ import annotations

from django.core.checks import Error, Warning  # noqa: A004  (Django's name for it)

APP = "university_enrollments"


def error(number: int, message: str, hint: str) -> Error:
    """Return an error: the app cannot work like this."""
    return Error(message, hint=hint, id=f"{APP}.E{number:03}")


def warning(number: int, message: str, hint: str) -> Warning:
    """Return a warning: the app works, but not as it should in production."""
    return Warning(message, hint=hint, id=f"{APP}.W{number:03}")
