"""Kept answers: a request repeated under the same `Idempotency-Key` gets the first one's answer.

See docs/api.rst, Repeating a request.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils import timezone

from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome
from program_enrollments.exceptions import IdempotencyKeyReused, RequestInProgress
from program_enrollments.models import KeptAnswer, KeptProgress

LEASE = timedelta(minutes=15)
"""How long a request can run before it counts as dead, and the next one with its key may run."""

CHUNK_LEASE = timedelta(minutes=2)
"""The same after a chunk of a bulk write. A chunk takes seconds, and bridges an outage of at most ten seconds."""

MAX_CONTENT_BYTES = 8 * 1024 * 1024
"""Larger deflated answers are not kept, because databases limit the size of a statement (MariaDB: 16 MB)."""

FORGOTTEN_AT_ONCE = 100
"""How many rows one call deletes: more than it adds, so that they don't pile up, and few enough to be quick."""


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """The answer to a request. The domain stores and returns its values, but never reads them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out a request. It ends with `keep_answer`, `release_claim`, or its lease."""

    pk: int
    started_at: datetime


def claim_answer(
    *, user_id: int, key: str, fingerprint: str, school_id: int | None, now: datetime
) -> Claim | RequestAnswer:
    """Return the answer kept for this request, or a claim if this caller should carry it out.

    `fingerprint` stands for path, query and body. Of parallel calls with one key one gets the claim, on every database.
    Raises IdempotencyKeyReused if the key was used for another request, and RequestInProgress if the first one still
    runs.
    """
    forget_expired_answers(now=now)
    values = {
        "fingerprint": fingerprint,
        "school_id": school_id,
        "started_at": now,
        "leased_until": now + LEASE,
        "expires_at": now + timedelta(hours=get_setting("IDEMPOTENCY_HOURS")),
    }
    try:
        kept, is_new = KeptAnswer.objects.get_or_create(user_id=user_id, key=key, defaults=values)
    except IntegrityError:
        # Another request created the row between the two look-ups, and has just released it.
        raise RequestInProgress from None
    if is_new:
        return Claim(kept.pk, now)
    is_expired = kept.expires_at <= now
    if not is_expired:
        if kept.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        if kept.status is not None:
            return RequestAnswer(kept.status, kept.headers, zlib.decompress(kept.content))
        if kept.leased_until is not None and kept.leased_until > now:
            raise RequestInProgress
    # Of several callers that find the row in this state, only one can update it.
    same = KeptAnswer.objects.filter(pk=kept.pk, started_at=kept.started_at)
    if not same.update(**values, status=None, headers={}, content=b""):
        raise RequestInProgress
    if is_expired:
        KeptProgress.objects.filter(kept_answer_id=kept.pk).delete()
    return Claim(kept.pk, now)


def keep_answer(*, claim: Claim, answer: RequestAnswer) -> None:
    """Keep the answer for repetitions of the request, unless it is too large.

    If the claim's lease has ended, nothing is kept.
    """
    content = zlib.compress(answer.content, level=1)
    if len(content) > MAX_CONTENT_BYTES:
        release_claim(claim=claim)
        return
    ours = KeptAnswer.objects.filter(pk=claim.pk, started_at=claim.started_at)
    if ours.update(status=answer.status, headers=dict(answer.headers), content=content):
        KeptProgress.objects.filter(kept_answer_id=claim.pk).delete()


def release_claim(*, claim: Claim) -> None:
    """Delete the claim, so that a retry is executed. It continues after the committed chunks, if any."""
    ours = KeptAnswer.objects.filter(pk=claim.pk, started_at=claim.started_at)
    if KeptProgress.objects.filter(kept_answer_id=claim.pk).exists():
        ours.update(leased_until=None)
    else:
        ours.delete()


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """The committed rows of a bulk write under an idempotency key, so that a retry continues after them."""

    claim: Claim

    def fetch(self) -> dict[int, tuple[str, str | None, str, bool]]:
        """Return (word, before, detail, changed) of the committed rows, by their number in the request."""
        kept = KeptProgress.objects.filter(kept_answer_id=self.claim.pk).values_list("outcomes", flat=True)
        return {
            number: (word, before, detail, changed)
            for outcomes in kept
            for number, word, before, detail, changed in json.loads(zlib.decompress(outcomes))
        }

    def keep(self, outcomes: Mapping[int, RowOutcome]) -> None:
        """Store outcomes, in the transaction that writes their rows.

        Raises RequestInProgress if this request counted as dead and another one runs now. The caller must roll back
        this transaction then.
        """
        ours = KeptAnswer.objects.filter(pk=self.claim.pk, started_at=self.claim.started_at)
        if not ours.update(leased_until=timezone.now() + CHUNK_LEASE):
            raise RequestInProgress
        rows = [(number, each.word, each.before, each.detail, each.changed) for number, each in outcomes.items()]
        if rows:
            KeptProgress.objects.create(
                kept_answer_id=self.claim.pk, outcomes=zlib.compress(json.dumps(rows).encode(), level=1)
            )


def forget_answers(*, school_id: int) -> int:
    """Delete the answers kept for a school, and those without a school; return how many.

    Part of retiring a person.
    """
    kept = KeptAnswer.objects.exclude(status=None)
    return kept.filter(school_id=school_id).delete()[0] + kept.filter(school__isnull=True).delete()[0]


def forget_expired_answers(*, now: datetime) -> int:
    """Delete up to `FORGOTTEN_AT_ONCE` answers that have expired; return how many."""

    def forget() -> int:
        expired = KeptAnswer.objects.filter(expires_at__lte=now).order_by("expires_at")
        found = sorted(expired.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        # A repetition of the request may have renewed its row meanwhile.
        return KeptAnswer.objects.filter(pk__in=found, expires_at__lte=now).delete()[0] if found else 0

    return in_transaction(forget)
