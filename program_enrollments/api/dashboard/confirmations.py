"""Confirmations: the code on a printed page, and what it still proves (ADR 0022)."""

from __future__ import annotations

import hmac
import json
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from program_enrollments.api.dashboard.naming import name_of
from program_enrollments.data import ProgramStatus
from program_enrollments.models import ProgramEnrollment
from program_enrollments.normalization import normalize_identity

SALT = "program_enrollments.confirmation"
MAC_BYTES = 10
"""80 bits: guessing one code takes more requests than any site answers."""
CONTENT_BYTES = 8
"""The key of the enrollment, the day in 16 bits, and the status in 3."""
FIRST_DAY = date(2020, 1, 1)
STATUSES = list(ProgramStatus.values)
GROUP = 5

PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PRINTED = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits that are not mistaken for each other: no I, L, O and U."""
MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a printed page says."""

    enrollment_id: int
    uuid: UUID
    status: str
    day: date
    name: str


@dataclass(frozen=True, slots=True)
class CheckedConfirmation:
    """What a paper with this code says, and whether it still holds. Nothing that the paper doesn't say."""

    name: str
    program: str
    school: Any
    status: str
    day: date
    still_holds: bool


def write_code(confirmation: Confirmation, *, user_id: Any) -> str:
    """Return the code of a confirmation, in groups of five characters."""
    days, status = (confirmation.day - FIRST_DAY).days, STATUSES.index(confirmation.status)
    content = ((confirmation.enrollment_id << 16 | days) << 3 | status).to_bytes(CONTENT_BYTES, "big")
    mac = _mac(settings.SECRET_KEY, content, confirmation.uuid, user_id, confirmation.name)
    letters = _letters(mac + content)
    return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))


def check_confirmation(*, code: str) -> CheckedConfirmation | None:
    """Return what a code proves; None for one that this site never gave, or can't recognize any more.

    It can't after the learner's name or account changed, or the secret key of the site. One statement.
    """
    raw = _read(code)
    if raw is None:
        return None
    mac, content = raw[:MAC_BYTES], raw[MAC_BYTES:]
    number = int.from_bytes(content, "big")
    enrollment_id, days, status_number = number >> 19, number >> 3 & 0xFFFF, number & 7
    if status_number >= len(STATUSES):
        return None
    enrollments = ProgramEnrollment.objects.select_related("program__school", "learner__user")
    enrollment = enrollments.filter(pk=enrollment_id).first()
    user: Any = enrollment.learner.user if enrollment is not None else None
    if enrollment is None or user is None:
        return None
    name = name_of(user)
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    expected = [_mac(key, content, enrollment.program.uuid, user.pk, name) for key in keys]
    if not any(hmac.compare_digest(mac, each) for each in expected):
        return None
    status = STATUSES[status_number]
    return CheckedConfirmation(
        name=name,
        program=enrollment.program.title,
        school=enrollment.program.school,
        status=status,
        day=FIRST_DAY + timedelta(days=days),
        still_holds=enrollment.status == status,
    )


def _read(code: str) -> bytes | None:
    """Return the bytes of a code as people type it; None if it has another length or other characters."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum()).translate(MISREAD)
    size = MAC_BYTES + CONTENT_BYTES
    if len(letters) != -(-size * 8 // 5) or not set(letters) <= set(PRINTED):
        return None
    plain = letters.translate(str.maketrans(PRINTED, PLAIN))
    raw = b32decode(plain + "=" * (-len(plain) % 8))
    # The last letter has a bit to spare, which would let two codes be one.
    return raw if len(raw) == size and _letters(raw) == letters else None


def _letters(raw: bytes) -> str:
    return b32encode(raw).decode().rstrip("=").translate(str.maketrans(PLAIN, PRINTED))


def _mac(key: str | bytes, content: bytes, uuid: UUID, user_id: Any, name: str) -> bytes:
    said = json.dumps([content.hex(), str(uuid), str(user_id), normalize_identity(name)])
    return salted_hmac(SALT, said, secret=key, algorithm="sha256").digest()[:MAC_BYTES]
