"""Delivery: what is due for one recipient goes as one message.

One worker at a time has a recipient's mails. A worker that is killed after the mail server has taken a message, and
before that is written down, has it sent again; both have the same Message-ID.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from program_enrollments.api.mails.wording import Item, word_mails
from program_enrollments.api.notices import SUPPORT
from program_enrollments.api.transactions import in_transaction
from program_enrollments.failures import describe_failure
from program_enrollments.models import Contact, Mail

logger = logging.getLogger(__name__)

PAUSES = (60, 300, 900, 3_600, 14_400)
"""Seconds between the tries of a mail; the last one repeats."""

GIVEN_UP = timedelta(days=4)
"""A mail that was written so long ago says nothing new, and is not sent any more."""

CLAIM = timedelta(minutes=5)
AT_ONCE = 100
"""Things that one message has at most."""

SMTP_SECONDS = 10
"""Seconds that the mail server has per step, unless the host's settings say otherwise."""

KEPT = timedelta(days=90)
"""As long as a mail is kept, the same thing is not mailed again."""

FORGOTTEN_AT_ONCE = 1_000


class Receiver(NamedTuple):
    """Where a mail goes, and in which language."""

    address: str
    language: str


def deliver_mails(*, now: datetime | None = None) -> bool:
    """Send what is due to one recipient; return whether there was any, and the mail server took it."""
    moment = now or timezone.now()
    mails = _claim(moment)
    if not mails:
        return False
    mine = Mail.objects.filter(pk__in=[one.pk for one in mails])
    receiver = _receiver_of(mails[0])
    if receiver is None:
        # The account or its address is gone since.
        mine.delete()
        return True
    try:
        _send(mails, receiver)
    except SMTPRecipientsRefused as error:
        _postpone(mine, mails, error, moment)
    # Mail servers and backends have exceptions of their own; the others would meet the same.
    except Exception as error:  # noqa: BLE001
        logger.warning("Mails to contacts wait: %s.", describe_failure(error))
        _postpone(mine, mails, error, moment)
        pause = timedelta(seconds=PAUSES[0])
        _due(moment).update(due_at=moment + pause)
        return False
    else:
        mine.update(sent_at=moment, tries=F("tries") + 1, problem="", claimed_until=None, claim="")
    return True


def has_due_mails(*, now: datetime) -> bool:
    """Return whether somebody is to be mailed now. One statement."""
    return _due(now).exists()


def forget_mails(*, now: datetime) -> int:
    """Delete up to `FORGOTTEN_AT_ONCE` mails that were written `KEPT` ago, and return how many."""

    def forget() -> int:
        old = Mail.objects.filter(created_at__lt=now - KEPT).order_by("created_at")
        return Mail.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()[0]

    return in_transaction(forget)


def _due(now: datetime) -> QuerySet[Mail]:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    return Mail.objects.filter(free, sent_at__isnull=True, due_at__lte=now, created_at__gt=now - GIVEN_UP)


def _claim(now: datetime) -> list[Mail]:
    """Return what is due to the recipient who has waited longest, claimed for this worker."""
    due, tried, claim = _due(now), set[int](), secrets.token_hex(16)
    while (first := due.exclude(pk__in=tried).order_by("due_at", "pk").first()) is not None:
        same = due.filter(school_id=first.school_id, recipient=first.recipient).order_by("pk")
        keys = list(same.values_list("pk", flat=True)[:AT_ONCE])
        _due(now).filter(pk__in=keys).update(claimed_until=now + CLAIM, claim=claim)
        mine = Mail.objects.filter(pk__in=keys, claim=claim).select_related("school", "program", "contact")
        if mails := list(mine.order_by("pk")):
            return mails
        tried.add(first.pk)
    return []


def _receiver_of(mail: Mail) -> Receiver | None:
    if mail.contact is not None:
        contact: Contact = mail.contact
        return Receiver(contact.email, contact.language or settings.LANGUAGE_CODE)
    if mail.recipient == SUPPORT:
        address = mail.school.support_email
    else:
        user = get_user_model()._default_manager.filter(pk=mail.recipient.partition(":")[2], is_active=True).first()
        address = getattr(user, get_user_model().get_email_field_name(), "") if user is not None else ""
    return Receiver(address, settings.LANGUAGE_CODE) if address else None


def _send(mails: Sequence[Mail], receiver: Receiver) -> None:
    school = mails[0].school
    with translation.override(receiver.language):
        items = word_mails(mails)
        context: dict[str, Any] = {"items": items, "school": school, "language": receiver.language}
        text = render_to_string("program_enrollments/mails/mail.txt", context)
        html = render_to_string("program_enrollments/mails/mail.html", context)
        subject = _subject(items, school.name)
    digest = hashlib.sha256("\n".join(f"{one.key} {one.recipient}" for one in mails).encode()).hexdigest()[:32]
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ") or "localhost"
    message = mail.EmailMultiAlternatives(
        subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [receiver.address],
        headers={"Message-ID": f"<{digest}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    _connection().send_messages([message])


def _connection() -> Any:
    # Where a site has MAILERS, which came with Django 6.1, there are no EMAIL_* settings.
    mailers = getattr(mail, "mailers", None)
    connection: Any = mail.get_connection() if mailers is None else mailers.default
    if isinstance(connection, SmtpBackend) and not connection.timeout:
        connection.timeout = SMTP_SECONDS
    return connection


def _subject(items: Sequence[Item], school: str) -> str:
    if len(items) == 1:
        subject = f"{school}: {items[0].title}"
    else:
        text = ngettext("%(school)s: %(count)d message", "%(school)s: %(count)d messages", len(items))
        subject = text % {"school": school, "count": len(items)}
    return " ".join(subject.split())


def _postpone(mine: QuerySet[Mail], mails: Sequence[Mail], error: Exception, now: datetime) -> None:
    pause = timedelta(seconds=PAUSES[min(max(one.tries for one in mails), len(PAUSES) - 1)])
    mine.update(
        tries=F("tries") + 1,
        due_at=now + pause,
        problem=type(error).__name__[:200],
        claimed_until=None,
        claim="",
    )
