"""Keeps `EmailAddress` in step with the accounts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.signals import post_save
from django.dispatch import receiver

from demo_lms.models import EmailAddress
from demo_lms.models.accounts import address_of
from demo_lms.models.primary import rows_of


# Django names the class that was saved as the sender, which may be a proxy of the user model.
@receiver(post_save, dispatch_uid="demo_lms_follow_email")
def follow_email(
    sender: type[models.Model],
    *,
    instance: models.Model,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Record a new or changed address of an account as unconfirmed, and forget an address that was removed."""
    if raw or not isinstance(instance, get_user_model()):
        return
    if update_fields is not None and instance.get_email_field_name() not in update_fields:
        return
    email = address_of(instance)
    known = rows_of(EmailAddress).filter(user=instance)
    if not email:
        known.delete()
        return
    address = known.first()
    if address is None:
        EmailAddress.objects.create(user=instance, email=email)
    elif address.email != email:
        address.email, address.verified_at, address.verified_digest = email, None, None
        address.save()
