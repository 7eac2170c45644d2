"""A step of the demo's own behind those of `program_enrollments.saml`."""

from __future__ import annotations

from typing import Any

from demo_lms.accounts.confirmation import send_confirmation
from demo_lms.models import EmailAddress
from demo_lms.models.primary import rows_of


def ask_to_confirm(*, strategy: Any, user: Any, is_new: bool, **kwargs: Any) -> None:
    """Mail a link to the address of a new account, unless its university vouches for it."""
    if is_new and rows_of(EmailAddress).filter(user=user, verified_at__isnull=True).exists():
        send_confirmation(user=user, request=strategy.request)
