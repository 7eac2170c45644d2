"""Changes of a school's settings, as its managers read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.account_names import fetch_usernames
from program_enrollments.api.setting_changes import ChangedValue
from program_enrollments.data import SettingChangeKind
from program_enrollments.models import School, SettingChange

SHOWN = 50


@dataclass(frozen=True, slots=True)
class RecordedSetting:
    """A change of settings with who made it: a username, `#` and a number, or empty for the app itself."""

    at: datetime
    kind: SettingChangeKind
    actor: str
    subject: str
    values: tuple[ChangedValue, ...]


def fetch_setting_changes(*, school: School) -> list[RecordedSetting]:
    """Return the last changes of a school's settings, the newest first. Two statements."""
    changes = list(SettingChange.objects.filter(school=school).order_by("-pk")[:SHOWN])
    names = fetch_usernames(user_ids={one.actor_id for one in changes if one.actor_id is not None})
    return [
        RecordedSetting(
            at=one.at,
            kind=SettingChangeKind(one.kind),
            actor="" if one.actor_id is None else names.get(one.actor_id, f"#{one.actor_id}"),
            subject=one.subject,
            values=tuple(ChangedValue(*value) for value in one.details),
        )
        for one in changes
    ]
