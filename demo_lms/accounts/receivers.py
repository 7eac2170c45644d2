"""Keeps `EmailAddress` in step with the accounts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models.signals import post_save
from django.dispatch import receiver

from demo_lms.models import EmailAddress


@receiver(post_save, sender=User, dispatch_uid="demo_lms_follow_email")
def follow_email(
    sender: type[User],
    *,
    instance: User,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Record a new or changed address of an account as unconfirmed, and forget an address that was removed."""
    if raw or (update_fields is not None and "email" not in update_fields):
        return
    known = EmailAddress.objects.filter(user=instance)
    if not instance.email:
        known.delete()
        return
    address = known.first()
    if address is None:
        EmailAddress.objects.create(user=instance, email=instance.email)
    elif address.email != instance.email:
        address.email, address.verified_at, address.verified_digest = instance.email, None, None
        address.save()
