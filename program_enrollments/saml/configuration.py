"""The settings of single sign-on: `PROGRAM_ENROLLMENTS["SIGN_ON"]` (docs/sso.rst)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import reverse

from program_enrollments import api
from program_enrollments.conf import get_setting

STEPS = (
    "program_enrollments.saml.pipeline.read_identity",
    "program_enrollments.saml.pipeline.open_account",
)
"""social-auth's pipeline steps of a sign-on. A host can append its own with the setting `PIPELINE`."""

MAX_CLOCK_SKEW_SECONDS = 600


@dataclass(frozen=True, slots=True)
class SignOnSettings:
    """All settings of single sign-on, with defaults for missing ones.

    Keys and certificates are PEM text, or empty. Contacts have `name` and `email`; the organization has `name` and
    `url`.
    """

    ENTITY_ID: str = ""
    PRIVATE_KEY: str = field(default="", repr=False)
    CERTIFICATE: str = ""
    NEXT_CERTIFICATE: str = ""
    ORGANIZATION: Mapping[str, str] = field(default_factory=dict)
    TECHNICAL_CONTACT: Mapping[str, str] = field(default_factory=dict)
    SUPPORT_CONTACT: Mapping[str, str] = field(default_factory=dict)
    CLOCK_SKEW_SECONDS: int = 180
    PIPELINE: Sequence[str] = STEPS

    @property
    def clock_skew(self) -> timedelta:
        """How far a university's clock may differ from ours, in either direction and for every time limit."""
        return timedelta(seconds=min(max(self.CLOCK_SKEW_SECONDS, 0), MAX_CLOCK_SKEW_SECONDS))


def get_sign_on_settings() -> SignOnSettings:
    """Return the present settings. Raises ImproperlyConfigured for an unknown key."""
    given: dict[str, Any] = get_setting("SIGN_ON")
    unknown = set(given) - set(SignOnSettings.__dataclass_fields__)
    if unknown:
        raise ImproperlyConfigured(f"PROGRAM_ENROLLMENTS['SIGN_ON'] has no {', '.join(sorted(unknown))}.")
    return SignOnSettings(**given)


def contact_of(school: api.School) -> Mapping[str, str]:
    """Return whom a school's students may ask: its own contact, or else `SUPPORT_CONTACT`."""
    if school.support_email:
        return {"name": school.support_name, "email": school.support_email}
    return get_sign_on_settings().SUPPORT_CONTACT


def acs_url(request: HttpRequest) -> str:
    """Return the absolute address to which identity providers send people back."""
    return request.build_absolute_uri(reverse("sign_on:acs"))


def sp_entity_id(request: HttpRequest) -> str:
    """Return this service's entity ID: the setting, or else the address of its metadata."""
    return get_sign_on_settings().ENTITY_ID or request.build_absolute_uri(reverse("sign_on:metadata"))
