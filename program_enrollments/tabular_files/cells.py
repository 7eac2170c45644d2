"""Cells: what spreadsheets do to values, and the shield that keeps them from computing one."""

from __future__ import annotations

import re

from django.utils.translation import gettext_noop as _

SHIELD = "'"
"""The character before a cell that makes spreadsheets show it as it is."""

FORMULA_STARTS = frozenset("=+-@\t\r＝＋－＠")
"""Characters at the start of a cell that make a spreadsheet compute it, full-width ones included."""

SHIELDED_STARTS = FORMULA_STARTS | {SHIELD}

SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]?\d+", re.IGNORECASE | re.ASCII)


def shield(text: str) -> str:
    """Return `text` as a cell that no spreadsheet computes.

    Text that begins as a formula gets an apostrophe before it, and so does text that `unshield` would otherwise take
    one off: `unshield(shield(text))` is `text` for every text.
    """
    if text[:1] in FORMULA_STARTS or (text[:1] == SHIELD and text[1:2] in SHIELDED_STARTS):
        return SHIELD + text
    return text


def unshield(cell: str) -> str:
    """Return the value of a cell: without one apostrophe at its start, if that shields what follows."""
    return cell[1:] if cell[:1] == SHIELD and cell[1:2] in SHIELDED_STARTS else cell


def describe_damage(value: str) -> str:
    """Return advice if a spreadsheet seems to have made a number of a student ID, or "".

    Only the form 1E+05 can be seen in a single value. Leading zeros that were taken leave no trace.
    """
    if SCIENTIFIC.fullmatch(value.strip()) is None:
        return ""
    return _(
        "A spreadsheet seems to have made a number of this student ID. Format the column as text before the IDs are "
        "put in, and export the file again."
    )
