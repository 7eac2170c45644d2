"""Forgetting: what was kept for a time only, and has expired."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.kept_answers import forget_expired_answers
from program_enrollments.api.sso.seen_assertions import forget_expired_assertions


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were deleted: digests of expired assertions, and answers kept for repeated requests."""

    assertions: int
    answers: int


def forget_expired(*, now: datetime) -> Forgotten:
    """Delete everything that has expired, in short transactions; return how much it was."""
    return Forgotten(assertions=_all(forget_expired_assertions, now), answers=_all(forget_expired_answers, now))


def _all(forget: Callable[..., int], now: datetime) -> int:
    total = 0
    while batch := forget(now=now):
        total += batch
    return total
