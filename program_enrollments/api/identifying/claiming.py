"""Claiming: which account is a learner's, by the evidence there is (ADR 0006).

A school's own identity provider naming the student ID is the strongest evidence a signal can bring; a confirmed e-mail
address within the school's domains comes second. Other social-auth backends never count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from social_django.models import UserSocialAuth

from program_enrollments.conf import get_setting
from program_enrollments.data import LinkHow
from program_enrollments.host import get_host
from program_enrollments.models import IdentityProvider
from program_enrollments.normalization import normalize_identity, split_uid


class Claim(NamedTuple):
    """An account that evidence says is a learner's."""

    user_id: int
    how: str


def find_accounts_by_student_key(*, school_id: int, student_keys: Mapping[str, str]) -> dict[str, int]:
    """Return whose accounts signed on through the school's identity providers under these student IDs.

    `student_keys` maps normalized to given; the answer maps normalized to user ID and leaves out what two accounts
    claim. This finds accounts that were there before the app or the identity provider was; since then a sign-on leaves
    a learner behind. The host's table is indexed by the uid as asserted, so a uid in yet another spelling is left to
    the sweep.
    """
    if not student_keys:
        return {}
    slugs = list(IdentityProvider.objects.filter(school_id=school_id, is_enabled=True).values_list("slug", flat=True))
    if not slugs:
        return {}
    spellings = {*student_keys, *student_keys.values()}
    uids = {f"{slug}:{spelling}" for slug in slugs for spelling in spellings}
    found: dict[str, int] = {}
    disputed = set()
    for uid, user_id in UserSocialAuth.objects.filter(
        provider__in=get_setting("SAML_BACKENDS"), uid__among=uids
    ).values_list("uid", "user_id"):
        parts = split_uid(uid)
        # The host's collation may find more than was asked for.
        if parts is None or parts[0] not in slugs:
            continue
        student_key = normalize_identity(parts[1])
        if student_key in student_keys and found.setdefault(student_key, user_id) != user_id:
            disputed.add(student_key)
    return {student_key: user_id for student_key, user_id in found.items() if student_key not in disputed}


def find_accounts_by_email(*, emails: Collection[str]) -> Mapping[str, int]:
    """Return whose confirmed addresses these (normalized) are, as the host knows it."""
    return get_host().accounts.users_by_confirmed_email(emails=emails) if emails else {}


def outweighs(*, claim_how: str, link_how: str) -> bool:
    """Whether a claim on a learner linked to another account is a disagreement for staff, rather than weaker evidence
    to pass over.
    """
    return claim_how != LinkHow.EMAIL or link_how == LinkHow.EMAIL
