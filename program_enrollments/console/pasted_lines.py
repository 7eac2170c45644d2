"""Pasted lines: learners as people type them or copy them from a spreadsheet, one a line."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

FIELDS = re.compile(r"[,;\t]")
HEADERS = frozenset({"student_key", "student id", "student_id", "email", "e-mail", "status", "id"})


class PastedLine(NamedTuple):
    """A line that names a learner: its number, the identities, and the status that stands on it or ""."""

    number: int
    text: str
    student_key: str
    email: str
    status: str


def read_lines(text: str, *, statuses: Collection[str]) -> list[PastedLine]:
    """Return the lines that name somebody; blank lines and a header are left out.

    A field with `@` is an address, one of `statuses` a status if something stands before it, the first other one is the
    student ID.
    """
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = [field.strip().strip('"') for field in FIELDS.split(line)]
        fields = [field for field in fields if field]
        if not fields or all(field.casefold() in HEADERS for field in fields):
            continue
        lines.append(_read(number, line.strip(), fields, statuses))
    return lines


def _read(number: int, text: str, fields: list[str], statuses: Collection[str]) -> PastedLine:
    student_key = email = status = ""
    for position, field in enumerate(fields):
        if position and field.casefold() in statuses:
            status = status or field.casefold()
        elif "@" in field:
            email = email or field
        else:
            student_key = student_key or field
    return PastedLine(number, text, student_key, email, status)
