"""Checks of values: they turn a source's values into values that the tables can hold.

There is one rule per kind of value, for every source.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit
from uuid import UUID

from program_enrollments.normalization import strip_invisible

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_SHOWN = 60


class UnusableValue(ValueError):
    """A value that cannot be used. The message names it and the reason, and is safe to print."""


def check_text(value: object, *, name: str, max_length: int = 255, required: bool = False) -> str:
    """Return `value` trimmed, without invisible characters; None counts as blank.

    Raises UnusableValue for other types, for text that is too long or has characters that cannot be stored or printed,
    and for blank text if it is `required`.
    """
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise UnusableValue(f"{name} is not text: {show(value)}.")
    text = strip_invisible(value)
    if required and not text:
        raise UnusableValue(f"{name} is missing.")
    if len(text) > max_length:
        raise UnusableValue(f"{name} has {len(text)} characters, {max_length} at most can be kept.")
    if CONTROL.search(text) or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UnusableValue(f"{name} has characters that cannot be kept: {show(text)}.")
    return text


def check_url(value: object, *, name: str) -> str:
    """Return the web address, or "" for none.

    Raises UnusableValue for any other address, because people will follow it.
    """
    text = check_text(value, name=name, max_length=500)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UnusableValue(f"{name} is not a web address: {show(text)}.") from None
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise UnusableValue(f"{name} is not a web address: {show(text)}.")
    return text


def check_uuid(value: object, *, name: str) -> UUID:
    """Parse a UUID. Raises UnusableValue if `value` is not one."""
    try:
        return UUID(check_text(value, name=name, required=True))
    except UnusableValue:
        raise
    except ValueError:
        raise UnusableValue(f"{name} is not a UUID: {show(value)}.") from None


def check_moment(value: object, *, name: str) -> datetime | None:
    """Return the moment in UTC, None for none.

    A date means its first moment. Times without an offset are in UTC. Raises UnusableValue for text that is not
    ISO 8601.
    """
    text = check_text(value, name=name)
    if not text:
        return None
    try:
        moment = datetime.combine(date.fromisoformat(text), time()) if len(text) == 10 else datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnusableValue(f"{name} is not a date such as 2026-09-01T00:00:00Z: {show(text)}.") from None


def show(value: object) -> str:
    """Return `value` in a form that is safe on a terminal: short, ASCII only, no control characters."""
    shown = ascii(value)
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
