"""Frames: what stands around the content of every page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.functional import Promise

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.pages.branding import SANDBOX_COLOR, Theme, theme_of

BASE_TEMPLATE = "program_enrollments/pages/base.html"


class Link(NamedTuple):
    """A link of the navigation; `is_current` marks the section that the open page belongs to."""

    label: str | Promise
    url: str
    is_current: bool = False


class LinkGroup(NamedTuple):
    """Links of the navigation below a heading."""

    heading: str
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom people may write to; empty where nobody is named."""

    name: str = ""
    email: str = ""


@dataclass(slots=True)
class Frame:
    """The school that a page is dressed for, its navigation, and its reference number in the log."""

    reference: str
    school: api.School | None = None
    navigation: list[LinkGroup] = field(default_factory=list)
    is_partial: bool = False
    """Whether only a part of the page is taken over into one that is open, which has style and scripts already."""
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def base_template(self) -> str:
        """The template around the page: the host's, or ours."""
        template: str = _pages("BASE_TEMPLATE", BASE_TEMPLATE)
        return template

    @property
    def stylesheets(self) -> Sequence[str]:
        """Static files that the host loads after our stylesheet."""
        sheets: Sequence[str] = _pages("STYLESHEETS", ())
        return sheets

    @property
    def theme(self) -> Theme:
        """The school's brand, the color of practice, or the app's own look."""
        if self.school is None:
            return theme_of()
        if self.school.is_sandbox:
            return theme_of(color=SANDBOX_COLOR, logo_url=self.school.logo_url)
        return theme_of(color=self.school.primary_color, logo_url=self.school.logo_url)

    @property
    def contact(self) -> Contact:
        """The school's support, or else the platform's."""
        if self.school is not None and self.school.support_email:
            return Contact(self.school.support_name or self.school.support_email, self.school.support_email)
        configured: Mapping[str, str] = _pages("CONTACT", {})
        email = configured.get("email", "")
        return Contact(configured.get("name", "") or email, email)


def _pages(name: str, default: Any) -> Any:
    return get_setting("PAGES").get(name) or default
