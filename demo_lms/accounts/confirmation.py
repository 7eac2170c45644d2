"""Confirming an e-mail address: a mail with a link, which only who reads the mailbox can follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from demo_lms.models import EmailAddress
from demo_lms.models.accounts import address_of, email_digest
from demo_lms.models.primary import rows_of
from program_enrollments import api

VALID_FOR = timedelta(days=3)
SALT = "demo_lms.confirm_email"


class Confirmation(Enum):
    """What became of an attempt to confirm an address."""

    DONE = "done"
    BAD_LINK = "bad_link"
    """The link is forged, cut off, too old, or about an address that the account no longer has."""
    TAKEN = "taken"
    """Another account has confirmed this address."""


def send_confirmation(*, user: AbstractBaseUser, request: HttpRequest) -> None:
    """Send the user a mail with a link that confirms the account's present address."""
    email = address_of(user)
    token = signing.dumps({"user": user.pk, "email": email}, salt=SALT)
    link = request.build_absolute_uri(reverse("confirm_email", args=[token]))
    text = render_to_string("demo_lms/accounts/confirmation.txt", {"user": user, "link": link, "days": VALID_FOR.days})
    send_mail(_("Please confirm your e-mail address"), text, from_email=None, recipient_list=[email])


def read_token(*, token: str) -> EmailAddress | None:
    """Return the address that the link's token confirms; None where the link cannot be used (see
    `Confirmation.BAD_LINK`).
    """
    try:
        content = signing.loads(token, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        return None
    address = rows_of(EmailAddress).select_related("user").filter(user=content["user"]).first()
    return address if address is not None and address.email == content["email"] else None


def confirm_address(*, token: str, now: datetime) -> Confirmation:
    """Mark the address that the token speaks of as confirmed at `now`, and tell `program_enrollments` of it.

    Confirming twice changes nothing more.
    """
    address = read_token(token=token)
    if address is None:
        return Confirmation.BAD_LINK
    if not mark_confirmed(address=address, now=now):
        return Confirmation.TAKEN
    api.email_confirmed(user_id=address.user_id)
    return Confirmation.DONE


def mark_confirmed(*, address: EmailAddress, now: datetime) -> bool:
    """Store that the address was confirmed at `now`; return False if another account has confirmed it before."""
    try:
        with transaction.atomic():
            rows_of(EmailAddress).filter(pk=address.pk, email=address.email, verified_at__isnull=True).update(
                verified_at=now, verified_digest=email_digest(address.email)
            )
    except IntegrityError:
        return False
    return True
