"""DEVELOPMENT ONLY: the mails that this site has sent, for everybody to read."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_string
from email.policy import default as modern_policy
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from demo_lms.sign_in.development import development_only

SEPARATOR = "-" * 79
"""The line with which Django's file backend ends each mail."""

SHOWN = 20


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail, as far as the page shows it."""

    to: str
    subject: str
    date: str
    body: str


@never_cache
@development_only
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """Show the mails sent last, the newest first."""
    return render(request, "demo_lms/outbox.html", {"mails": read_outbox(folder=Path(settings.EMAIL_FILE_PATH))})


def read_outbox(*, folder: Path) -> list[SentMail]:
    """Return the last mails that Django's file backend wrote into `folder`, the newest first; none if there is no
    folder.
    """
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:SHOWN]
    mails = [mail for file in files for mail in reversed(_read_file(file))]
    return mails[:SHOWN]


def _read_file(file: Path) -> list[SentMail]:
    texts = file.read_text(encoding="utf-8", errors="replace").split(f"\n{SEPARATOR}\n")
    return [_read_mail(text) for text in texts if text.strip()]


def _read_mail(text: str) -> SentMail:
    message = message_from_string(text.lstrip("\n"), policy=modern_policy)
    body = message.get_body(preferencelist=("plain",))
    return SentMail(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        date=str(message["Date"]),
        body=str(body.get_content()) if body is not None else "",
    )
