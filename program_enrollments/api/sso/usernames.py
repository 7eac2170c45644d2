"""Naming accounts: usernames made from what an identity provider gives."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model

FALLBACK = "student"
SUFFIX_DIGITS = (4, 4, 6, 8, 10)
"""Digits behind a name that is taken: short ones first, then so many that no two people draw the same."""


def username_candidates(*, sources: Iterable[str]) -> Iterator[str]:
    """Yield usernames to try, best first.

    They come from the first of `sources` that yields one, then with random digits.

    Of an e-mail address only what stands before the `@` is used: usernames are shown to others. They are plain
    lower-case ASCII, so that no database's collation can take two of them for one, and never longer than the host's
    field. A name that is taken is left out; only the unique constraint can tell whether it still is free at the end.
    """
    model: Any = get_user_model()
    limit = model._meta.get_field(model.USERNAME_FIELD).max_length or 150
    base = next((name for name in map(_clean, sources) if name), FALLBACK)
    endings = ["", *(f"-{secrets.randbelow(10**digits):0{digits}d}" for digits in SUFFIX_DIGITS)]
    for ending in endings:
        candidate = base[: limit - len(ending)] + ending
        if not model._default_manager.filter(**{model.USERNAME_FIELD: candidate}).exists():
            yield candidate


def _clean(source: str) -> str:
    local = source.partition("@")[0]
    ascii_only = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9_.+]+", "-", ascii_only.lower()).strip("-.+_")
