"""Checks of a row's student ID and e-mail address that need no table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from program_enrollments.api.learners.email_domains import is_within_domains
from program_enrollments.data import CourseEnrollmentRequest, ProgramEnrollmentRequest
from program_enrollments.expansion import expands_beyond
from program_enrollments.normalization import (
    MAX_IDENTITY_LENGTH,
    is_email,
    is_pseudonym,
    normalize_identity,
    strip_invisible,
)

EnrollmentRequest = ProgramEnrollmentRequest | CourseEnrollmentRequest


class Identity(NamedTuple):
    """Who a row names: as given (trimmed) and normalized; empty where not given.

    `valid` is False for what cannot be used.
    """

    student_key: str
    student_key_normalized: str
    email: str
    email_normalized: str
    valid: bool


def check_identity(
    *, student_key: str, email: str, domains: Collection[str], allow_pseudonyms: bool = False
) -> Identity:
    """Normalize and check one row's identities: length, form of the address, the school's domains.

    A pseudonym of this app names nobody, unless `allow_pseudonyms`.
    """
    student_key = strip_invisible(student_key)
    if not email and student_key.isascii() and 0 < len(student_key) <= MAX_IDENTITY_LENGTH:
        # Nearly all rows: of ASCII, what is checked below comes to this.
        normalized = student_key.lower()
        return Identity(student_key, normalized, "", "", allow_pseudonyms or not is_pseudonym(normalized))
    email = strip_invisible(email)
    # Normalizing is not free, and what is too long is refused whatever its normal form.
    if max(len(student_key), len(email)) > MAX_IDENTITY_LENGTH or any(
        expands_beyond(value, limit=MAX_IDENTITY_LENGTH) for value in (student_key, email)
    ):
        return Identity(student_key, "", email, "", False)
    key_normalized, email_normalized = normalize_identity(student_key), normalize_identity(email)
    valid = (
        bool(key_normalized or email_normalized)
        and max(len(key_normalized), len(email_normalized)) <= MAX_IDENTITY_LENGTH
        and (allow_pseudonyms or not is_pseudonym(key_normalized))
    )
    if valid and email_normalized:
        valid = is_email(email_normalized) and is_within_domains(email_normalized=email_normalized, domains=domains)
    return Identity(student_key, key_normalized, email, email_normalized, valid)


def check_identities(
    *, rows: Sequence[EnrollmentRequest], domains: Collection[str], allow_pseudonyms: bool = False
) -> list[Identity]:
    """Check every row of a call; the answer has one identity per row, in their order."""
    return [
        check_identity(student_key=row.student_key, email=row.email, domains=domains, allow_pseudonyms=allow_pseudonyms)
        for row in rows
    ]


def find_duplicates(
    *, keys: Sequence[str], identities: Sequence[Identity], student_keys_by_email: Mapping[str, str]
) -> set[int]:
    """Return the numbers of the rows that share a learner or an answer key with another row.

    `student_keys_by_email` (normalized both) tells whose stored address a row without a student ID gives: it names
    that learner.
    """
    named = [
        identity.student_key_normalized or student_keys_by_email.get(identity.email_normalized, "")
        for identity in identities
    ]
    times_answered = Counter(keys)
    times_named = Counter(name for name in named if name)
    times_addressed = Counter(identity.email_normalized for identity in identities if identity.email_normalized)
    # The common case, every row a learner of its own, is told by three sizes.
    if (
        len(times_answered) == len(keys)
        and len(times_named) == sum(times_named.values())
        and len(times_addressed) == sum(times_addressed.values())
    ):
        return set()
    return {
        number
        for number, (key, name, identity) in enumerate(zip(keys, named, identities, strict=True))
        if times_answered[key] > 1
        or (name and times_named[name] > 1)
        or (identity.email_normalized and times_addressed[identity.email_normalized] > 1)
    }
