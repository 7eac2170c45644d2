"""Receivers: saving an account or a social-auth identity makes its preemptive enrollments real.

This happens after the commit, and a failure never breaks the sign-in.

A host may save accounts and identities through a proxy of their model or through a subclass. Django sends signals for
the class that is saved, so each of these classes is connected.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.signals import class_prepared, post_delete, post_save, pre_delete
from social_django.models import UserSocialAuth

from program_enrollments import api

UNLINKED = "_program_enrollments_unlinked"
"""Attribute of an account that is being deleted: the changes to be recorded at the end."""


def account_saved(sender: Any, instance: Any, raw: bool = False, using: str | None = None, **kwargs: Any) -> None:
    """Realize what waits for this account's confirmed address, and what earlier sign-ins left unfinished."""
    if raw:
        return
    email = getattr(instance, type(instance).get_email_field_name(), "") or ""
    api.after_commit(partial(api.realize_account, user_id=instance.pk, email=email), using=using)


def identity_saved(sender: Any, instance: Any, raw: bool = False, using: str | None = None, **kwargs: Any) -> None:
    """Link and realize the learner that this identity names.

    Signing up saves the identity after the account. Later sign-ins save the identity only.
    """
    if raw:
        return
    work = partial(
        api.realize_at_sign_on,
        user_id=instance.user_id,
        provider=instance.provider,
        uid=instance.uid,
        created=instance.created,
    )
    api.after_commit(work, using=using)


def account_deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Turn the enrollments of an account that is about to be deleted into preemptive ones."""
    setattr(instance, UNLINKED, api.unlink_account(user_id=instance.pk))


def account_gone(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Record what the deletion of an account changed, now that its seats are gone."""
    api.record_deletion(changes=instance.__dict__.pop(UNLINKED, ()))


def connect_class(sender: type[models.Model], **kwargs: Any) -> None:
    """Connect the receivers to a class of accounts or identities; other classes are left alone."""
    if sender._meta.abstract or sender._meta.swapped:
        return
    name = sender._meta.label_lower
    if issubclass(sender, get_user_model()):
        post_save.connect(account_saved, sender=sender, dispatch_uid=f"university_enrollments_saved_{name}")
        pre_delete.connect(account_deleted, sender=sender, dispatch_uid=f"university_enrollments_deleted_{name}")
        post_delete.connect(account_gone, sender=sender, dispatch_uid=f"university_enrollments_gone_{name}")
    if issubclass(sender, UserSocialAuth):
        post_save.connect(identity_saved, sender=sender, dispatch_uid=f"university_enrollments_saved_{name}")


def connect_receivers() -> None:
    """Connect the receivers to all classes that exist, and to classes that are defined later."""
    for ancestor in (get_user_model(), UserSocialAuth):
        for model in _with_descendants(ancestor):
            connect_class(model)
    class_prepared.connect(connect_class, dispatch_uid="university_enrollments_class_prepared")


def _with_descendants(model: type[models.Model]) -> list[type[models.Model]]:
    return [model, *(each for child in model.__subclasses__() for each in _with_descendants(child))]
