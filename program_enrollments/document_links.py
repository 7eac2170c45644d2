"""Links to documents, as people write them: one per line, a title, a bar, and an address."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST_LINKS = 12
MAX_LENGTH = 2000


class DocumentLink(NamedTuple):
    """A document that learners may open."""

    title: str
    url: str


def read_document_links(text: str) -> list[DocumentLink]:
    """Return the links of a text. Lines that are none are left out."""
    return [link for link in map(_read_line, text.splitlines()) if link is not None]


def check_document_links(text: str) -> None:
    """Raise ValidationError, which names the line, for a text that has anything but links."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINKS:
        raise ValidationError(_("Name at most %(count)d documents.") % {"count": MOST_LINKS}, code="too_many")
    for line in lines:
        if _read_line(line) is None:
            message = _(
                "Write a title, a bar and an address, such as “Handbook | https://uni.example/handbook”: %(line)s"
            )
            raise ValidationError(message % {"line": line[:100]}, code="invalid")


def _read_line(line: str) -> DocumentLink | None:
    title, bar, url = (part.strip() for part in line.rpartition("|"))
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    if not (bar and title and usable and url.isprintable() and " " not in url):
        return None
    return DocumentLink(title, url)
