"""The one notion of equality for student IDs and e-mail addresses (ADR 0005).

Two strings name the same student if, and only if, their normalized forms are the same code points. The normalized form
is stored beside the value as given, and the database's unique constraints are on the normalized form.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAX_IDENTITY_LENGTH = 255
"""How many characters a student ID or an e-mail address may have, both as given and normalized."""

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that nobody can see: Unicode's Default_Ignorable_Code_Point, the interlinear annotation marks and the
blank Braille pattern.
"""

UUID_FORM = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)

MAX_LABEL = 63
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_]+(?:[.+-][a-z0-9_]+)*@[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.[a-z]{2,}", re.ASCII
)
"""Most addresses: Django's validator, which takes four times as long, accepts all that match within `MAX_LABEL`."""

PSEUDONYM = re.compile(r"(?:retired|released)-[0-9a-f]{32}")
"""The form of the normalized student IDs that this app generates for learners whose own ID is gone."""


def normalize_identity(value: str) -> str:
    """Return `value` as it is compared: trimmed, NFKC, case-folded, without invisible characters.

    This decides, for every database and collation:

    - `É` is the same letter composed or decomposed, and is not `E`.
    - Full-width digits are digits.
    - `ß` is `ss` (Unicode case folding).
    - White space around the value is ignored; white space inside it counts.
    - Zero-width spaces, byte order marks and direction marks are ignored everywhere.

    The function is idempotent and never raises. An empty result means that no value was given.
    """
    if value.isascii():
        return value.strip().lower()
    return _normalize_unicode(value)


@lru_cache(maxsize=4096)
def _normalize_unicode(value: str) -> str:
    """Apply the steps until they change nothing.

    Folding can yield letters that compose, trim or vanish again.
    """
    while True:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", INVISIBLE.sub("", value)).casefold())
        folded = INVISIBLE.sub("", folded).strip()
        if folded == value:
            return folded
        value = folded


def strip_invisible(value: str) -> str:
    """Return `value` as it is stored and shown: trimmed, without invisible characters.

    For names that are compared exactly and not normalized, such as catalog keys and slugs.
    """
    return value.strip() if value.isascii() else INVISIBLE.sub("", value).strip()


def is_pseudonym(normalized: str) -> bool:
    """Return whether this app generated a normalized student ID, for a retired learner or a released ID."""
    return normalized[:2] == "re" and PSEUDONYM.fullmatch(normalized) is not None


def is_retired_pseudonym(normalized: str) -> bool:
    """Return whether a normalized student ID is the pseudonym of a retired learner."""
    return normalized.startswith("retired-") and is_pseudonym(normalized)


def is_email(value: str) -> bool:
    """Return whether `value` has the form of an e-mail address."""
    if len(value) <= MAX_LABEL and PLAIN_EMAIL.fullmatch(value) is not None:
        return True
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def parse_uuid(text: str) -> UUID | None:
    """Parse a UUID in any letter case, with or without hyphens. Return None if `text` is not one.

    Stricter than Python's `UUID`, which also accepts braces, `urn:uuid:` and hyphens in any place.
    """
    return UUID(text) if UUID_FORM.fullmatch(text) else None


def split_uid(uid: str) -> tuple[str, str] | None:
    """Split a social-auth uid `<school_slug>:<remote_id>` at its first colon.

    Returns the slug verbatim and the remote ID trimmed. Returns None if either is missing: such a uid names no learner.
    """
    slug, colon, remote_id = uid.partition(":")
    remote_id = remote_id.strip()
    if not colon or not slug or not remote_id:
        return None
    return slug, remote_id
