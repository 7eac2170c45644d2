"""Expiry: rows that were kept for a limited time are deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.jobs.retention import forget_expired_files
from program_enrollments.api.kept_answers import forget_expired_answers
from program_enrollments.api.sso.seen_assertions import forget_expired_assertions


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted.

    These are digests of expired assertions, answers kept for repeated requests, files of jobs and their outcomes.
    """

    assertions: int
    answers: int
    files: int = 0
    outcomes: int = 0


def forget_expired(*, now: datetime) -> Forgotten:
    """Delete all expired rows and files, in short transactions, and return how many there were."""
    files = forget_expired_files(now=now)
    return Forgotten(
        assertions=_all(forget_expired_assertions, now),
        answers=_all(forget_expired_answers, now),
        files=files.files,
        outcomes=files.rows,
    )


def _all(forget: Callable[..., int], now: datetime) -> int:
    total = 0
    while batch := forget(now=now):
        total += batch
    return total
