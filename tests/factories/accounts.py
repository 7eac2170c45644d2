"""Accounts of the host at hand, whatever its user model calls their names and addresses.

Tests that use this run over every host: the demo LMS with Django's own users, and `tests.odd_host`.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import EmailField

MODEL: Any = get_user_model()
USERNAME = MODEL.USERNAME_FIELD
EMAIL = MODEL.get_email_field_name()
ARE_NAMED_BY_ADDRESS = isinstance(MODEL._meta.get_field(USERNAME), EmailField)


def username_of(name: str) -> str:
    """Return the username of the person whom a story calls `name`: that name, or an address made of it."""
    return f"{name}@accounts.example" if ARE_NAMED_BY_ADDRESS and "@" not in name else name


def names_of(*, username: str | None = None, email: str | None = None) -> dict[str, str]:
    """Return the fields of an account, or the conditions that find it, by what they are called here."""
    fields = {} if username is None else {USERNAME: username_of(username)}
    return fields if email is None else {**fields, EMAIL: email}


def make_account(*, username: str, email: str = "") -> Any:
    """Make an account as the host's own code does, without a password."""
    return MODEL._default_manager.create(**names_of(username=username, email=email))


def get_account(*, username: str) -> Any:
    return MODEL._default_manager.get(**names_of(username=username))


def email_of(user: Any) -> str:
    """Return the account's e-mail address as it is stored in it."""
    return str(getattr(user, EMAIL))


def asserted_address(*, remote_id: str, slug: str) -> str:
    """Return the address that a university has to assert with this ID for an account to be made; mostly none.

    Accounts that are named by an address cannot be made without one.
    """
    local = re.sub(r"[^a-z0-9]+", "-", remote_id.strip().lower()).strip("-")
    return f"{local}@mail.{slug}.example" if ARE_NAMED_BY_ADDRESS else ""


def username_after_sign_on(*, name: str, address: str) -> str:
    """Return the username that an account gets if a university asserts this name and address, and neither is taken."""
    return address if ARE_NAMED_BY_ADDRESS else name
