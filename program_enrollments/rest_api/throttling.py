"""Throttling: how many requests a client may send, by the setting `THROTTLE_RATE`."""

from __future__ import annotations

import logging
import threading
import time
from functools import lru_cache
from typing import NamedTuple

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@lru_cache(maxsize=8)
def parse_rate(text: str) -> Rate:
    """Return what a rate such as `100/second` means.

    Raises ValueError for anything else (a system check says so earlier).
    """
    number, slash, period = text.partition("/")
    if not slash or not number.strip().isdecimal() or period.strip()[:1].lower() not in SECONDS:
        raise ValueError(f"{text!r} is not a rate such as 100/second.")
    return Rate(int(number), SECONDS[period.strip()[0].lower()])


class Outage:
    """Whether the cache is down, as this process knows: each outage is logged once, not with each request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False

    def begin(self, error: Exception) -> None:
        """Log that the cache is down, unless that is known."""
        if self._changes(to=True):
            logger.error(
                "The default cache is down (%s). Requests to the API are not limited until it works again.",
                describe_failure(error),
            )

    def end(self) -> None:
        """Log that the cache works again, if it was down."""
        if self._is_on and self._changes(to=False):
            logger.info("The default cache works again. Requests to the API are limited as before.")

    def _changes(self, *, to: bool) -> bool:
        with self._lock:
            changed, self._is_on = self._is_on != to, to
            return changed


outage = Outage()


def _count(key: str, *, seconds: int) -> int:
    """Count a request and return how many there are, 0 where the cache keeps nothing."""
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        return cache.incr(key)
    except ValueError:
        # The cache dropped the counter just now, or keeps nothing: a request too many is better than one refused.
        return 0


class ClientThrottle(BaseThrottle):
    """Counts the requests of each user in fixed windows of the clock, in Django's default cache.

    One counter a window: `incr` is atomic on shared caches, so that the limit holds over all processes of a site.
    Counting windows lets up to twice the rate through at the seam of two; that is the price of one number instead of a
    list a client.
    """

    def __init__(self) -> None:
        self.seconds_left = 1.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this request and return whether it may pass. Nothing is counted if the setting is None.

        While the cache is down every request may pass.
        """
        text = get_setting("THROTTLE_RATE")
        if text is None:
            return True
        rate, now = parse_rate(text), time.time()
        window = int(now // rate.seconds)
        self.seconds_left = (window + 1) * rate.seconds - now
        key = f"program_enrollments:requests:{request.user.pk}:{window}"
        try:
            count = _count(key, seconds=rate.seconds * 2)
        # Each backend has exceptions of its own, and an API that is down because a limit cannot be counted is worse
        # than one without a limit.
        except Exception as error:  # noqa: BLE001
            outage.begin(error)
            return True
        outage.end()
        return count <= rate.requests

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self.seconds_left
