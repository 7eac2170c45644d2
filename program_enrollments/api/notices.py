"""Notices: what a school's contacts are mailed about, written as outbox rows (ADR 0030)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model

from program_enrollments.api.schools import zone_of
from program_enrollments.data import MailKind, Permission
from program_enrollments.models import Contact, Grant, Mail, School

DAILY_AT = time(7)
"""When those who want one mail a day get it, in the school's time zone."""

FOR_CONTACTS_ALONE = frozenset({MailKind.ROWS_REFUSED, MailKind.IDS_CHANGED})
"""What nobody is mailed who did not ask for it: files with a few bad lines come every night at some schools."""

SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened at a school. `key` is the same each time that it is found.

    `data` must have counts and numbers only: no names, addresses or student IDs.
    """

    kind: MailKind
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    program_id: int | None = None


class _Recipient(NamedTuple):
    name: str
    due_at: datetime
    contact_id: int | None = None


def add_notices(*, school_id: int, notices: Sequence[Notice], now: datetime) -> int:
    """Write a mail per notice and recipient, in the current transaction, and return how many were new.

    A school without contacts has the people mailed who manage its settings, or else its support. A school for practice
    has nobody mailed.
    """
    school = School.objects.get(pk=school_id)
    if school.is_sandbox:
        return 0
    contacts = [
        _Recipient(f"contact:{one.pk}", _due_at(school, one, now), one.pk)
        for one in Contact.objects.filter(school=school).order_by("pk")
    ]
    others = [] if contacts else [_Recipient(name, now) for name in _others(school)]
    known = set(
        Mail.objects.filter(school=school, key__in={one.key for one in notices}).values_list("key", "recipient")
    )
    rows = [
        Mail(
            school=school,
            contact_id=recipient.contact_id,
            recipient=recipient.name,
            kind=notice.kind.value,
            key=notice.key,
            program_id=notice.program_id,
            data=dict(notice.data),
            created_at=now,
            due_at=recipient.due_at,
        )
        for notice in notices
        for recipient in (contacts or ([] if notice.kind in FOR_CONTACTS_ALONE else others))
        if (notice.key, recipient.name) not in known
    ]
    # Another worker may have found the same thing.
    Mail.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _due_at(school: School, contact: Contact, now: datetime) -> datetime:
    if not contact.is_daily:
        return now
    zone = zone_of(school)
    today = datetime.combine(now.astimezone(zone).date(), DAILY_AT, tzinfo=zone)
    return today if today > now else datetime.combine(today.date() + timedelta(days=1), DAILY_AT, tzinfo=zone)


def _others(school: School) -> list[str]:
    """Return who is mailed at a school without contacts."""
    grants = Grant.objects.filter(school=school, permission=Permission.MANAGE_SCHOOL)
    users = get_user_model()._default_manager.filter(pk__in=grants.values("user"), is_active=True)
    field_name = get_user_model().get_email_field_name()
    numbers = [pk for pk, address in users.order_by("pk").values_list("pk", field_name) if address]
    return [f"user:{pk}" for pk in numbers] or ([SUPPORT] if school.support_email else [])
