"""The deadline of the host's calls: how long a sign-in or an API call waits for the host.

An adapter passes `remaining_seconds()` to the time-out of its HTTP client. Nothing interrupts a call that ignores it;
but once the time is up, `checked_host` makes no further ones (ADR 0010).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.dispatch import receiver

from program_enrollments.conf import get_setting

LEAST_SECONDS = 0.05
"""The least that is returned as remaining: some HTTP clients take 0 for no time-out."""


@dataclass(slots=True)
class Budget:
    """Seconds that are left for the host.

    One request has one budget for all its sign-in work, however many signals it sends.
    """

    seconds: float


_deadline: ContextVar[float | None] = ContextVar("program_enrollments_host_deadline", default=None)
_of_request: ContextVar[dict[str, Budget] | None] = ContextVar("program_enrollments_request_budgets", default=None)


def remaining_seconds() -> float | None:
    """Return how many seconds the host still has, always more than 0; None if there is no deadline."""
    deadline = _deadline.get()
    return None if deadline is None else max(LEAST_SECONDS, deadline - time.monotonic())


def is_time_up() -> bool:
    """Return whether there is a deadline, and it has passed: no further call of the host is made."""
    deadline = _deadline.get()
    return deadline is not None and time.monotonic() >= deadline


@contextmanager
def limited(setting: str) -> Iterator[None]:
    """Let the host's calls in this block share the seconds that `setting` allows.

    If the setting is None, there is no limit. In nested blocks the earlier deadline counts. Blocks of one request
    with the same setting share its seconds; time outside of these blocks is not counted.
    """
    allowed = get_setting(setting)
    if allowed is None:
        yield
        return
    budgets = _of_request.get()
    budget = Budget(allowed) if budgets is None else budgets.setdefault(setting, Budget(allowed))
    began, outer = time.monotonic(), _deadline.get()
    deadline = began + budget.seconds
    token = _deadline.set(deadline if outer is None else min(outer, deadline))
    try:
        yield
    finally:
        _deadline.reset(token)
        budget.seconds = max(0.0, budget.seconds - (time.monotonic() - began))


@receiver(request_started, dispatch_uid="university_enrollments_host_budgets_made")
def make_budgets(sender: Any, **kwargs: Any) -> None:
    """Give each request its own seconds."""
    _of_request.set({})


@receiver(request_finished, dispatch_uid="university_enrollments_host_budgets_dropped")
def drop_budgets(sender: Any, **kwargs: Any) -> None:
    """Forget the request's seconds: the next work in this thread belongs to another request, or to none."""
    _of_request.set(None)
