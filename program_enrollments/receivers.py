"""Receivers: a saved account or social-auth identity makes real what was promised. After commit, and never in a
sign-in's way.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from program_enrollments import api


@receiver(post_save, sender=settings.AUTH_USER_MODEL, dispatch_uid="university_enrollments_account_saved")
def account_saved(sender: Any, instance: Any, raw: bool = False, using: str | None = None, **kwargs: Any) -> None:
    """Look for what waits for this account's confirmed address, and for what an earlier sign-in left over."""
    if raw:
        return
    email = getattr(instance, type(instance).get_email_field_name(), "") or ""
    transaction.on_commit(partial(api.realize_account, user_id=instance.pk, email=email), using=using)


@receiver(post_save, sender="social_django.UserSocialAuth", dispatch_uid="university_enrollments_identity_saved")
def identity_saved(sender: Any, instance: Any, raw: bool = False, using: str | None = None, **kwargs: Any) -> None:
    """Link and realize the learner that this identity names: sign-up saves it after the account, later sign-ins save
    only it.
    """
    if raw:
        return
    work = partial(api.realize_at_sign_on, user_id=instance.user_id, provider=instance.provider, uid=instance.uid)
    transaction.on_commit(work, using=using)


@receiver(pre_delete, sender=settings.AUTH_USER_MODEL, dispatch_uid="university_enrollments_account_deleted")
def account_deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Turn the enrollments of an account that is about to go back into promises."""
    api.unlink_account(user_id=instance.pk)
