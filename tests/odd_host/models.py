"""Accounts as hosts have them that are not like Django's own."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """What makes accounts whose user name is an address."""

    def create_user(self, mail: str, password: str | None = None, **fields: Any) -> Account:
        account = self.model(mail=self.normalize_email(mail), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """An account named by its e-mail address, without Django's names, flags and permissions."""

    mail = models.EmailField(unique=True)
    is_mail_confirmed = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = AccountManager()

    USERNAME_FIELD = "mail"
    EMAIL_FIELD = "mail"

    class Meta:
        app_label = "odd_host"


class KeyedByUUID(AbstractBaseUser):
    """An account whose primary key is no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField()

    USERNAME_FIELD = "username"

    class Meta:
        app_label = "odd_host"
