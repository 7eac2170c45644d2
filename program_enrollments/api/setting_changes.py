"""Changes of a school's settings, recorded in the transaction that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from program_enrollments.data import SettingChangeKind
from program_enrollments.models import SettingChange

LONGEST_VALUE = 200


class ChangedValue(NamedTuple):
    """A value of a setting before and after a change, as text."""

    name: str
    before: str
    after: str


def record_setting_change(
    *,
    school_id: int,
    actor_id: int | None,
    kind: SettingChangeKind,
    now: datetime,
    subject: str = "",
    values: Sequence[ChangedValue] = (),
) -> None:
    """Record a change in the current transaction. `actor_id` is None if the app itself made it."""
    SettingChange.objects.create(
        school_id=school_id, actor_id=actor_id, kind=kind.value, at=now, subject=subject, details=[*map(list, values)]
    )


def compare_values(*, before: dict[str, Any], after: dict[str, Any], hidden: frozenset[str]) -> list[ChangedValue]:
    """Return what differs between two sets of values with the same names.

    Of `hidden` ones, only that they differ.
    """
    return [
        ChangedValue(name, "", "") if name in hidden else ChangedValue(name, _text(before[name]), _text(after[name]))
        for name in before
        if before[name] != after[name]
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST_VALUE]
