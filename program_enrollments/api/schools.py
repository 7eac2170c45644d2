"""Schools: what a school says about itself, to its learners and administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from program_enrollments.api.access import Access
from program_enrollments.api.setting_changes import compare_values, record_setting_change
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import SettingChangeKind
from program_enrollments.models import School


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A school's brand, contact, welcome text, guard and time zone; colors are `#rrggbb` or blank."""

    name: str
    logo_url: str = ""
    primary_color: str = ""
    text_color: str = ""
    support_name: str = ""
    support_email: str = ""
    welcome_text: str = ""
    documents: str = ""
    guard_minimum: int = 10
    guard_percent: int = 20
    time_zone: str = "UTC"


ABOUT_PEOPLE = frozenset({"support_name", "support_email", "documents", "welcome_text"})
"""Settings whose values are not kept in the record of changes: they may name people, or are long."""


def present_school(*, access: Access, school: School, presentation: Presentation, now: datetime) -> School:
    """Let a school be presented like this, and return it. What changes is recorded."""
    names = Presentation.__slots__

    def work() -> School:
        stored = School.objects.select_for_update().get(pk=school.pk)
        wanted = {name: getattr(presentation, name) for name in names}
        values = compare_values(
            before={name: getattr(stored, name) for name in names}, after=wanted, hidden=ABOUT_PEOPLE
        )
        for name, value in wanted.items():
            setattr(stored, name, value)
        stored.save(update_fields=[*names, "modified"])
        if values:
            record_setting_change(
                school_id=stored.pk,
                actor_id=access.user_id or None,
                kind=SettingChangeKind.SCHOOL_CHANGED,
                values=values,
                now=now,
            )
        return stored

    return in_transaction(work)


def end_of_day(day: date, *, zone: tzinfo) -> datetime:
    """Return the moment at which a day ends in a time zone.

    The last days of the calendar end with its last but one.
    """
    following = min(day, date.max - timedelta(days=2)) + timedelta(days=1)
    return datetime.combine(following, time.min, tzinfo=zone)


def zone_of(school: School) -> tzinfo:
    """Return the school's time zone; UTC if this machine does not know it."""
    try:
        return ZoneInfo(school.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
