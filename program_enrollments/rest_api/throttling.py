"""Throttling: how many requests a client may send, by the setting `THROTTLE_RATE`."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from program_enrollments.conf import get_setting

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@lru_cache(maxsize=8)
def parse_rate(text: str) -> Rate:
    """Return what a rate such as `100/second` means. Raises ValueError for anything else (a system check says so
    earlier).
    """
    number, slash, period = text.partition("/")
    if not slash or not number.strip().isdecimal() or period.strip()[:1].lower() not in SECONDS:
        raise ValueError(f"{text!r} is not a rate such as 100/second.")
    return Rate(int(number), SECONDS[period.strip()[0].lower()])


class ClientThrottle(BaseThrottle):
    """Counts the requests of each user in fixed windows of the clock, in Django's default cache.

    One counter a window: `incr` is atomic on shared caches, so that the limit holds over all processes of a site.
    Counting windows lets up to twice the rate through at the seam of two; that is the price of one number instead of a
    list a client.
    """

    def __init__(self) -> None:
        self.seconds_left = 1.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this request and say whether it may pass; nothing is counted where the setting is None."""
        text = get_setting("THROTTLE_RATE")
        if text is None:
            return True
        rate, now = parse_rate(text), time.time()
        window = int(now // rate.seconds)
        self.seconds_left = (window + 1) * rate.seconds - now
        key = f"program_enrollments:requests:{request.user.pk}:{window}"
        if cache.add(key, 1, timeout=rate.seconds * 2):
            return rate.requests >= 1
        try:
            return cache.incr(key) <= rate.requests
        except ValueError:
            # The cache dropped the counter just now, or keeps nothing: a request too many is better than one refused.
            return True

    def wait(self) -> float:
        """Return the seconds until the next window."""
        return self.seconds_left
