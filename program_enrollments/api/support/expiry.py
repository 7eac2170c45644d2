"""Expiry: rows that were kept for a limited time are deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from program_enrollments.api.disclosures import forget_expired_disclosures
from program_enrollments.api.feeds.retention import forget_feed_files
from program_enrollments.api.jobs.orphans import forget_orphaned_files_daily
from program_enrollments.api.jobs.retention import forget_expired_files
from program_enrollments.api.kept_answers import forget_expired_answers
from program_enrollments.api.mails.delivery import forget_mails
from program_enrollments.api.sso.seen_assertions import forget_expired_assertions
from program_enrollments.api.webhooks.retention import forget_delivered_messages
from program_enrollments.models import Invitation, MetadataRequest

LINKS_KEPT = timedelta(days=30)
"""How long the console shows support a link that ended, for questions about it."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted.

    These are digests of expired assertions, answers kept for repeated requests, files of jobs and their outcomes, links
    that were mailed to people, delivered webhook messages, records of who looked at personal data, and mails.
    """

    assertions: int
    answers: int
    files: int = 0
    outcomes: int = 0
    links: int = 0
    messages: int = 0
    disclosures: int = 0
    mails: int = 0


def forget_expired(*, now: datetime) -> Forgotten:
    """Delete all expired rows and files, in short transactions, and return how many there were."""
    files = forget_expired_files(now=now)
    return Forgotten(
        assertions=_all(forget_expired_assertions, now),
        answers=_all(forget_expired_answers, now),
        files=files.files + forget_orphaned_files_daily(now=now) + forget_feed_files(now=now),
        outcomes=files.rows,
        links=_forget_links(now=now),
        messages=_all(forget_delivered_messages, now),
        disclosures=_all(forget_expired_disclosures, now),
        mails=_all(forget_mails, now),
    )


def _forget_links(*, now: datetime) -> int:
    """Delete invitations and requests for metadata a month after their links ended.

    The addresses they were mailed to go with them; the record of access and the identity providers stay. A draft that
    waits for a person is kept. Two statements, of which each deletes a few rows.
    """
    limit = now - LINKS_KEPT
    invitations, _models = Invitation.objects.filter(expires_at__lt=limit).delete()
    waiting = Q(sent_at__isnull=False, closed_at__isnull=True)
    requests, _models = MetadataRequest.objects.filter(~waiting, expires_at__lt=limit).delete()
    return invitations + requests


def _all(forget: Callable[..., int], now: datetime) -> int:
    total = 0
    while batch := forget(now=now):
        total += batch
    return total
