"""Schools: what a school says about itself, to its learners and administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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


def present_school(*, school: School, presentation: Presentation) -> School:
    """Let a school be presented like this, and return it."""
    for name in Presentation.__slots__:
        setattr(school, name, getattr(presentation, name))
    school.save(update_fields=[*Presentation.__slots__, "modified"])
    return school


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
