"""The one notion of equality for student IDs and e-mail addresses (ADR 0005).

Two strings name the same student if, and only if, their normalized forms are the same code points. The normalized form
is stored beside the value as given and is what the database keeps unique.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MAX_IDENTITY_LENGTH = 255
"""Characters a student ID or an e-mail address may have, as given and normalized alike."""


def normalize_identity(value: str) -> str:
    """Return the form of `value` under which it is compared: trimmed, NFKC, without case.

    Consequences decided once, for every database and collation: `É` composed or decomposed is one letter, and is not
    `E`; full-width digits are digits; `ß` is `ss` (Unicode case folding); white space around the value is nothing,
    inside it counts. The function is idempotent. It never raises; an empty answer means that nothing was given.
    """
    if value.isascii():
        return value.strip().lower()
    return _normalize_unicode(value)


@lru_cache(maxsize=4096)
def _normalize_unicode(value: str) -> str:
    """Apply the steps until they change nothing: folding can yield letters that compose or trim again."""
    while True:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold()).strip()
        if folded == value:
            return folded
        value = folded


def split_uid(uid: str) -> tuple[str, str] | None:
    """Split a social-auth uid `<school_slug>:<remote_id>` at its first colon.

    Returns the slug verbatim and the remote ID trimmed, or None where either is missing: such a uid names no learner.
    """
    slug, colon, remote_id = uid.partition(":")
    remote_id = remote_id.strip()
    if not colon or not slug or not remote_id:
        return None
    return slug, remote_id
