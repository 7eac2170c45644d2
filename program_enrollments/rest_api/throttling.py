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
    """A number of requests per number of seconds."""

    requests: int
    seconds: int


@lru_cache(maxsize=8)
def parse_rate(text: str) -> Rate:
    """Parse a rate such as `100/second`.

    Raises ValueError for anything else, which a system check reports earlier.
    """
    number, slash, period = text.partition("/")
    if not slash or not number.strip().isdecimal() or period.strip()[:1].lower() not in SECONDS:
        raise ValueError(f"{text!r} is not a rate such as 100/second.")
    return Rate(int(number), SECONDS[period.strip()[0].lower()])


class Outage:
    """Whether this process has seen the cache fail, so that an outage is logged once and not per request."""

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
    """Count a request and return the number of requests, or 0 if the cache keeps nothing."""
    if cache.add(key, 1, timeout=seconds):
        return 1
    try:
        return cache.incr(key)
    except ValueError:
        # The cache has just dropped the counter, or keeps nothing. Better let a request too many pass than refuse one.
        return 0


class ClientThrottle(BaseThrottle):
    """Counts the requests of each user in fixed windows of the clock, in Django's default cache.

    There is one counter per window. `incr` is atomic on shared caches, so the limit holds over all processes of a site.
    Where two windows meet, up to twice the rate can pass: that is the price of one number per client instead of a list.
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
        # Each cache backend raises exceptions of its own. An API without a limit is better than one that is down.
        except Exception as error:  # noqa: BLE001
            outage.begin(error)
            return True
        outage.end()
        return count <= rate.requests

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self.seconds_left
