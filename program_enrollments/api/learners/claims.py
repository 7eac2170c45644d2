"""Claiming: which account is a learner's, by the evidence there is (ADR 0006).

A school's own identity provider naming the student ID is the strongest evidence a signal can bring; a confirmed e-mail
address within the school's domains comes second. Other social-auth backends never count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from program_enrollments.api.learners.evidence import fetch_sign_ons, fetch_slugs
from program_enrollments.data import LinkHow
from program_enrollments.host import get_host


class Claim(NamedTuple):
    """An account that evidence says is a learner's."""

    user_id: int
    how: str


def find_accounts_by_student_key(*, school_id: int, student_keys: Mapping[str, str]) -> dict[str, int]:
    """Return whose accounts signed on through the school's identity providers under these student IDs.

    `student_keys` maps normalized to given; the answer maps normalized to user ID and leaves out what two accounts
    claim. This finds accounts that were there before the app or the identity provider was; since then a sign-on leaves
    a learner behind. Asked for IDs that no learner has: one that changed hands has a learner (`Learner.key_since`).
    """
    if not student_keys:
        return {}
    found: dict[str, int] = {}
    disputed = set()
    for sign_on in fetch_sign_ons(
        slugs=fetch_slugs(school_id=school_id, linking_only=True),
        spellings={*student_keys, *student_keys.values()},
    ):
        student_key = sign_on.student_key
        if student_key in student_keys and found.setdefault(student_key, sign_on.user_id) != sign_on.user_id:
            disputed.add(student_key)
    return {student_key: user_id for student_key, user_id in found.items() if student_key not in disputed}


def find_accounts_by_email(*, emails: Collection[str]) -> Mapping[str, int]:
    """Return whose confirmed addresses these (normalized) are, as the host knows it."""
    return get_host().accounts.users_by_confirmed_email(emails=emails) if emails else {}


def outweighs(*, claim_how: str, link_how: str) -> bool:
    """Return whether a claim on a linked learner is a disagreement that staff must settle.

    Otherwise it is weaker evidence, and passed over.
    """
    return claim_how != LinkHow.EMAIL or link_how == LinkHow.EMAIL


def is_covered(*, claim_how: str, dismissed_how: str | None) -> bool:
    """Whether a person's decision against an account's claim covers one made by `claim_how`.

    It covers the same evidence or weaker.
    """
    if dismissed_how is None:
        return False
    return claim_how == LinkHow.EMAIL or dismissed_how != LinkHow.EMAIL
