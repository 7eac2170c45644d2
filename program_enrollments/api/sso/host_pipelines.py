"""Hosts with a SAML set-up of their own: the account that an asserted uid opens (ADR 0012)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from social_django.models import UserSocialAuth

from program_enrollments.api.learners.evidence import remove_sign_ons
from program_enrollments.api.sso.holders import is_privileged, is_settled, lock_holder
from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import IdentityProvider
from program_enrollments.normalization import (
    MAX_IDENTITY_LENGTH,
    is_pseudonym,
    normalize_identity,
    split_uid,
)


@dataclass(frozen=True, slots=True)
class ConfirmedHolder:
    """The account that a uid opens.

    `user` is None if the person has no account yet. `social` is the valid identity, or None if it has to be created.
    """

    user: Any
    social: UserSocialAuth | None


def confirm_holder(*, provider: str, uid: str, now: datetime) -> ConfirmedHolder | None:
    """Return the account that `uid`, just asserted through the backend `provider`, opens.

    Return None if the uid belongs to no school. Identities of former holders are removed from their accounts. Raises
    SignOnRefused if the account cannot be decided or has rights beyond the school, or if the school is for practice.
    """
    parts = split_uid(uid) if provider in get_setting("SAML_BACKENDS") else None
    if parts is None or "\x00" in uid:
        return None
    slug, remote_id = parts
    row = IdentityProvider.objects.filter(slug=slug).values_list("school_id", "school__is_sandbox").first()
    if row is None:
        return None
    school_id, is_sandbox = row
    if is_sandbox:
        raise SignOnRefused(SignOnRefusal.PROVIDER_TEST_ONLY, slug=slug)
    student_key = normalize_identity(remote_id)
    if is_pseudonym(student_key) or not 0 < max(len(remote_id), len(student_key)) <= MAX_IDENTITY_LENGTH:
        raise SignOnRefused(SignOnRefusal.ID_UNUSABLE, slug=slug)

    def work() -> ConfirmedHolder:
        social = UserSocialAuth.get_social_auth(provider, uid)
        if social is not None and is_settled(social, school_id=school_id, student_key=student_key):
            return ConfirmedHolder(social.user, social)
        holder = lock_holder(school_id=school_id, slug=slug, remote_id=remote_id, now=now)
        user_id = holder.account(slug=slug)
        remove_sign_ons(
            sign_ons=[each for each in (*holder.former, *holder.sign_ons) if each.user_id != user_id or user_id is None]
        )
        if user_id is None:
            return ConfirmedHolder(None, None)
        user = get_user_model()._default_manager.get(pk=user_id)
        own = UserSocialAuth.get_social_auth(provider, uid)
        return ConfirmedHolder(user, own if own is not None and own.user_id == user_id else None)

    confirmed = in_transaction(work)
    if confirmed.user is not None and is_privileged(user=confirmed.user, school_id=school_id):
        raise SignOnRefused(SignOnRefusal.ACCOUNT_PRIVILEGED, slug=slug)
    return confirmed
