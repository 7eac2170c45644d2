"""E-mail addresses of accounts, and whether their owners have shown that they read them."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.normalization import normalize_identity


def email_digest(email: str) -> str:
    """Return the SHA-256 (hex) of `email` as `normalize_identity` compares it.

    The database compares digests instead of addresses: some collations take `é` for `e`, and two people's addresses
    must not become one by that.
    """
    return hashlib.sha256(normalize_identity(email).encode()).hexdigest()


def address_of(user: AbstractBaseUser) -> str:
    """Return the account's e-mail address, "" for none, whatever the user model calls the field."""
    return getattr(user, user.get_email_field_name()) or ""


class EmailAddress(models.Model):
    """The e-mail address of an account, in step with the user model's (see `demo_lms.accounts.receivers`)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="email_address", verbose_name=_("user")
    )
    email = models.EmailField(_("e-mail"), max_length=254)
    digest = models.CharField(max_length=64, editable=False, db_index=True)
    verified_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)
    verified_digest = models.CharField(max_length=64, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("e-mail address")
        verbose_name_plural = _("e-mail addresses")
        constraints = [
            # One address, once confirmed, is one account's. Unconfirmed ones are NULL here: anybody may claim an
            # address.
            models.UniqueConstraint(fields=["verified_digest"], name="demo_email_verified_once"),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True, verified_digest__isnull=True)
                | Q(verified_at__isnull=False, verified_digest__isnull=False),
                name="demo_email_verified_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest by which the address is found in step with it."""
        self.digest = email_digest(self.email)
        super().save(*args, **kwargs)

    @property
    def is_verified(self) -> bool:
        """Whether the owner has confirmed this very address."""
        return self.verified_at is not None
