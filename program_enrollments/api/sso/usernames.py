"""Usernames of new accounts, made from asserted attributes."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import EmailField

FALLBACK = "student"
SUFFIX_DIGITS = (4, 4, 6, 8, 10)
"""How many random digits follow a name that is taken: few at first, then so many that nobody draws the same."""


def username_candidates(*, sources: Iterable[str]) -> Iterator[str]:
    """Yield usernames to try, best first.

    They come from the first of `sources` that yields one, then with random digits. Only the part of an e-mail address
    before the `@` is used, because usernames are shown to others. They are plain lower-case ASCII, so that no collation
    takes two of them as equal, and never longer than the host's field. Taken names are left out, but only the unique
    constraint decides whether a name is still free.
    """
    model: Any = get_user_model()
    limit = model._meta.get_field(model.USERNAME_FIELD).max_length or 150
    base = next((name for name in map(_clean, sources) if name), FALLBACK)
    endings = ["", *(f"-{secrets.randbelow(10**digits):0{digits}d}" for digits in SUFFIX_DIGITS)]
    for ending in endings:
        candidate = base[: limit - len(ending)] + ending
        if not model._default_manager.filter(**{model.USERNAME_FIELD: candidate}).exists():
            yield candidate


def are_named_by_email() -> bool:
    """Return whether the host's accounts have an e-mail address as their username."""
    model: Any = get_user_model()
    field = model._meta.get_field(model.USERNAME_FIELD)
    return isinstance(field, EmailField) or model.get_email_field_name() == model.USERNAME_FIELD


def email_candidates(*, email: str) -> Iterator[str]:
    """Yield the one username that an account named by its address can have.

    Yields none if the address is missing, taken or too long.
    """
    model: Any = get_user_model()
    limit = model._meta.get_field(model.USERNAME_FIELD).max_length
    if not email or (limit is not None and len(email) > limit):
        return
    # Two addresses that differ in case alone belong to one person.
    if not model._default_manager.filter(**{f"{model.USERNAME_FIELD}__iexact": email}).exists():
        yield email


def _clean(source: str) -> str:
    local = source.partition("@")[0]
    ascii_only = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9_.+]+", "-", ascii_only.lower()).strip("-.+_")
