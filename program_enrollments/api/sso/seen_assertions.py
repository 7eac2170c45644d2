"""Seen assertions: each works only once, even if it is posted several times in parallel (ADR 0008)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial

from django.db import IntegrityError

from program_enrollments.api.transactions import after_commit, atomic, in_transaction
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import SeenAssertion

CLEARING_DIGESTS = "0"
"""One in sixteen assertions has such a digest. It deletes expired ones, so that the table stays small."""

FORGOTTEN_AT_ONCE = 1_000
"""How many rows are deleted at once: more than sixteen sign-ons add, and few enough for a short transaction."""


def remember_assertion(*, entity_id: str, assertion_id: str, expires_at: datetime, now: datetime) -> None:
    """Store that an assertion has been used, in the caller's transaction.

    From `expires_at` the assertion itself would be refused, including the clock skew. Raises SignOnRefused if it was
    used before, and waits for a transaction that is using it now.
    """
    digest = hashlib.sha256(f"{entity_id}\0{assertion_id}".encode()).hexdigest()
    try:
        with atomic():
            SeenAssertion(digest=digest, expires_at=expires_at).save(force_insert=True)
    except IntegrityError:
        raise SignOnRefused(SignOnRefusal.REPLAYED) from None
    if digest.startswith(CLEARING_DIGESTS):
        after_commit(partial(forget_expired_assertions, now=now))


def forget_expired_assertions(*, now: datetime) -> int:
    """Delete up to `FORGOTTEN_AT_ONCE` expired assertions, and return how many."""

    def forget() -> int:
        expired = SeenAssertion.objects.filter(expires_at__lt=now).order_by("expires_at")
        digests = sorted(expired.values_list("digest", flat=True)[:FORGOTTEN_AT_ONCE])
        return SeenAssertion.objects.filter(digest__in=digests).delete()[0] if digests else 0

    return in_transaction(forget)
