"""Accounts as hosts have them that are not like Django's own."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """What makes accounts whose user name is an address."""

    def create_user(self, login_email: str, password: str | None = None, **fields: Any) -> Account:
        account = self.model(login_email=self.normalize_email(login_email), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser, PermissionsMixin):
    """An account named by the address that its owner signs in with; mails go to another one.

    It has neither `username` nor `email`, and no names of persons.
    """

    login_email = models.EmailField("login", unique=True)
    contact_email = models.EmailField("contact", blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = AccountManager()

    USERNAME_FIELD = "login_email"
    EMAIL_FIELD = "contact_email"

    class Meta:
        app_label = "odd_host"


class Member(Account):
    """An account, as other apps of the host call it."""

    class Meta:
        proxy = True
        app_label = "odd_host"


class KeyedByUUID(AbstractBaseUser):
    """An account whose primary key is no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField()

    USERNAME_FIELD = "username"

    class Meta:
        app_label = "odd_host"
