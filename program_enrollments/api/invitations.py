"""Invitations: access that waits for somebody who has no account yet, or whose account nobody knows."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from program_enrollments.api.access import Access, access_of
from program_enrollments.api.learners.claims import find_accounts_by_email
from program_enrollments.api.people import change_access
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import Permission
from program_enrollments.exceptions import AccessRefused, InvitationDoesNotExist
from program_enrollments.models import Grant, Invitation, Program, School
from program_enrollments.normalization import is_email, normalize_identity

VALID = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, and the token of its link, which is known only now."""

    invitation: Invitation
    token: str


def invite(
    *, access: Access, school: School, email: str, permissions: Collection[str], program: Program | None, now: datetime
) -> Invited:
    """Invite the person with this address to permissions that the caller holds. Raises AccessRefused."""
    address = normalize_identity(email)
    if not is_email(address):
        raise AccessRefused(_("This is no e-mail address."))
    for permission in permissions:
        reach = access.reach(permission=permission, school_id=school.pk)
        if not (reach.is_school_wide or (program is not None and reach.covers(program_ids=[program.pk]))):
            raise AccessRefused(_("You can give only what you hold yourself."))
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        school=school,
        program=program,
        email=email.strip(),
        permissions=sorted(permissions),
        digest=_digest(token),
        invited_by_id=access.user_id,
        invited_at=now,
        expires_at=now + VALID,
    )
    return Invited(invitation, token)


def get_invitation(*, token: str, now: datetime) -> Invitation:
    """Return the invitation with this token.

    Raises InvitationDoesNotExist for one that is used, withdrawn or expired.
    """
    invitation = (
        Invitation.objects.filter(
            digest=_digest(token), expires_at__gt=now, accepted_at__isnull=True, withdrawn_at__isnull=True
        )
        .select_related("school", "program")
        .first()
    )
    if invitation is None:
        raise InvitationDoesNotExist
    return invitation


def accept_invitation(*, user: Any, token: str, now: datetime) -> Invitation:
    """Give the user what the invitation promises, once.

    Raises InvitationDoesNotExist, and AccessRefused if the account's confirmed address is not the invited one, or if
    who invited holds the permissions no more.
    """
    invitation = get_invitation(token=token, now=now)
    address = invitation.email_normalized or ""
    if find_accounts_by_email(emails=[address]).get(address) != user.pk:
        raise AccessRefused(
            _("This invitation is for another address than the confirmed one of your account. Sign in with that one.")
        )

    def work() -> None:
        taken = Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=True, withdrawn_at__isnull=True)
        if not taken.update(accepted_at=now, accepted_by_id=user.pk):
            raise InvitationDoesNotExist
        place: dict[str, Any] = (
            {"school": invitation.school} if invitation.program is None else {"program": invitation.program}
        )
        held = set(Grant.objects.filter(user_id=user.pk, **place).values_list("permission", flat=True))
        change_access(
            access=_access_of_inviter(invitation),
            school=invitation.school,
            program=invitation.program,
            user_id=user.pk,
            permissions=held | set(invitation.permissions),
            reason=_("Accepted an invitation"),
            now=now,
        )

    in_transaction(work)
    return invitation


def withdraw_invitation(*, school: School, invitation_id: int, now: datetime) -> Invitation | None:
    """Withdraw a school's open invitation, and return it; None if there was none."""
    is_open = {"accepted_at__isnull": True, "withdrawn_at__isnull": True}
    opened = Invitation.objects.filter(school=school, pk=invitation_id, **is_open)
    if not opened.update(withdrawn_at=now):
        return None
    return Invitation.objects.get(pk=invitation_id)


def fetch_open_invitations(*, school: School, now: datetime) -> list[Invitation]:
    """Return a school's invitations that can still be accepted, the newest first. One statement."""
    return list(
        Invitation.objects.filter(
            school=school, expires_at__gt=now, accepted_at__isnull=True, withdrawn_at__isnull=True
        ).select_related("program")
    )


def _access_of_inviter(invitation: Invitation) -> Access:
    """Return the access of who invited: what they lost meanwhile can't be given any more."""
    inviter = get_user_model()._default_manager.filter(pk=invitation.invited_by_id).first()
    access = access_of(user=inviter)
    if not access.reach(permission=Permission.MANAGE_ACCESS, school_id=invitation.school_id).is_school_wide:
        raise AccessRefused(_("Who invited you does not manage access here any more. Ask for a new invitation."))
    return access


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
