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
    student_key, email = strip_invisible(student_key), strip_invisible(email)
    if len(student_key) <= MAX_IDENTITY_LENGTH >= len(email) and (student_key + email).isascii():
        # Normalizing ASCII is lowering its case, which makes nothing longer.
        key_normalized, email_normalized = student_key.lower(), email.lower()
        valid = bool(key_normalized or email_normalized) and (allow_pseudonyms or not is_pseudonym(key_normalized))
        return _check_address(Identity(student_key, key_normalized, email, email_normalized, valid), domains)
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
    return _check_address(Identity(student_key, key_normalized, email, email_normalized, valid), domains)


def _check_address(identity: Identity, domains: Collection[str]) -> Identity:
    """Return the identity, not valid if its address cannot be used."""
    email = identity.email_normalized
    if not identity.valid or not email:
        return identity
    if is_email(email) and is_within_domains(email_normalized=email, domains=domains):
        return identity
    return identity._replace(valid=False)


def check_identities(
    *, rows: Sequence[EnrollmentRequest], domains: Collection[str], allow_pseudonyms: bool = False
) -> list[Identity]:
    """Check every row of a call; the answer has one identity per row, in their order."""
    identities = []
    for row in rows:
        student_key, email = row.student_key, row.email
        if not email and student_key.isascii() and 0 < len(student_key) <= MAX_IDENTITY_LENGTH:
            # Nearly all rows: what `check_identity` comes to, without a call per row.
            student_key = student_key.strip()
            normalized = student_key.lower()
            valid = normalized[:2] != "re" or allow_pseudonyms or not is_pseudonym(normalized)
            identities.append(Identity(student_key, normalized, "", "", valid and normalized != ""))
        else:
            identities.append(
                check_identity(student_key=student_key, email=email, domains=domains, allow_pseudonyms=allow_pseudonyms)
            )
    return identities


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
    names = [name for name in named if name]
    addresses = [identity.email_normalized for identity in identities if identity.email_normalized]
    # The common case, every row a learner of its own, is told by three sizes.
    if all(len(set(values)) == len(values) for values in (keys, names, addresses)):
        return set()
    times_answered, times_named, times_addressed = Counter(keys), Counter(names), Counter(addresses)
    return {
        number
        for number, (key, name, identity) in enumerate(zip(keys, named, identities, strict=True))
        if times_answered[key] > 1
        or (name and times_named[name] > 1)
        or (identity.email_normalized and times_addressed[identity.email_normalized] > 1)
    }
