"""Wording: what a mail says, in the language that is active.

Counts and links; nobody's name, address or student ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments.api.feeds.folders import folder_of
from program_enrollments.api.schools import zone_of
from program_enrollments.conf import get_setting
from program_enrollments.data import MailKind
from program_enrollments.models import Feed, IdentityProvider, Mail


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a mail: a heading, what happened and what to do, and the page about it; "" without one."""

    title: str
    text: str
    url: str = ""


def word_mails(mails: Sequence[Mail]) -> list[Item]:
    """Return what these mails of one recipient say. Two statements; mails need their school and program."""
    feeds = Feed.objects.select_related("school").in_bulk({one.data.get("feed") for one in mails} - {None})
    providers = IdentityProvider.objects.in_bulk({one.data.get("provider") for one in mails} - {None})
    return [_word(one, feeds, providers) for one in mails]


def _word(mail: Mail, feeds: Mapping[int, Feed], providers: Mapping[int, IdentityProvider]) -> Item:
    match MailKind(mail.kind):
        case MailKind.FEED_LATE:
            return _late(mail, feeds.get(mail.data["feed"]))
        case MailKind.FILE_REJECTED:
            return Item(
                _("A file could not be taken: %(program)s") % _program(mail),
                _(
                    "It was moved to the folder “rejected”, and nothing was changed. A note beside it says what was "
                    "wrong. Correct the file and drop it again."
                ),
                _school_url(mail, "feeds"),
            )
        case MailKind.CERTIFICATE_ENDS:
            return _certificate(mail, providers.get(mail.data["provider"]))
        case MailKind.WEBHOOK_OFF:
            return Item(
                _("Messages to %(host)s have stopped") % mail.data,
                _(
                    "For three days no message reached %(host)s, or it answered that it wants no more. It gets no "
                    "messages until somebody switches it on again, in the console under Webhooks. Nothing is lost: "
                    "the list of changes in the API has everything."
                )
                % mail.data,
                _school_url(mail, "webhooks"),
            )
    return _job(mail)


def _job(mail: Mail) -> Item:
    named = {**_program(mail), "job": mail.data["job"], "count": mail.data["count"]}
    count = mail.data["count"]
    match MailKind(mail.kind):
        case MailKind.JOB_HELD:
            title = _("A file waits for your decision: %(program)s")
            text = ngettext(
                "Job #%(job)s would remove %(count)d learner, and is held. Nothing is written until somebody has "
                "looked at it and approves it, or cancels the file.",
                "Job #%(job)s would remove %(count)d learners, and is held. Nothing is written until somebody has "
                "looked at it and approves it, or cancels the file.",
                count,
            )
        case MailKind.JOB_FAILED:
            title = _("A file failed: %(program)s")
            text = _("Job #%(job)s has failed. Its page says why, and what to do.")
        case MailKind.JOB_WAITING:
            title = _("A file has been waiting for an hour: %(program)s")
            text = _(
                "Job #%(job)s waits because the learning platform or its storage does not answer. It goes on by "
                "itself; the file need not be sent again."
            )
        case MailKind.IDS_CHANGED:
            title = _("Student IDs have probably changed: %(program)s")
            text = ngettext(
                "In job #%(job)s %(count)d line has the e-mail address of a learner who is known by another student "
                "ID. The line was not applied. If the ID has changed, say so, and send the file again.",
                "In job #%(job)s %(count)d lines have the e-mail addresses of learners who are known by other student "
                "IDs. The lines were not applied. If the IDs have changed, say so, and send the file again.",
                count,
            )
        case _other:
            title = _("Lines of a file were refused: %(program)s")
            text = ngettext(
                "%(count)d line of job #%(job)s was refused. All other lines were applied. The file's page has the "
                "reason, and the line to correct and send again.",
                "%(count)d lines of job #%(job)s were refused. All other lines were applied. The file's page has the "
                "reasons, and the lines to correct and send again.",
                count,
            )
    program = mail.program.uuid if mail.program is not None else ""
    return Item(title % named, text % named, _url("file", program, mail.data["job"]) if program else "")


def _late(mail: Mail, feed: Feed | None) -> Item:
    names = f"{folder_of(feed)}/{feed.pattern}" if feed is not None else ""
    zone = zone_of(mail.school)
    since = date_format(datetime.fromisoformat(mail.data["since"]).astimezone(zone), "j M Y, H:i")
    text = _(
        "A file %(names)s was expected until %(since)s (%(zone)s). Look whether your system has written and uploaded "
        "it. If none was to come on that day, enter such days beforehand, in the console under Feeds."
    )
    return Item(
        _("No file has come: %(program)s") % _program(mail),
        text % {"names": names, "since": since, "zone": mail.school.time_zone},
        _school_url(mail, "feeds"),
    )


def _certificate(mail: Mail, provider: IdentityProvider | None) -> Item:
    ends_at = date_format(datetime.fromisoformat(mail.data["ends_at"]), "j M Y")
    return Item(
        _("The certificate of “%(provider)s” ends on %(ends_at)s") % {"provider": provider or "", "ends_at": ends_at},
        _(
            "Your identity provider signs with it. Publish the next one in its metadata beforehand, so that sign-on "
            "goes on when the keys change."
        ),
        _school_url(mail, "sign-in"),
    )


def _program(mail: Mail) -> dict[str, Any]:
    return {"program": mail.program.title if mail.program is not None else mail.school.name}


def _school_url(mail: Mail, page: str) -> str:
    return _url(page, mail.school.key)


def _url(page: str, *args: Any) -> str:
    """Return the address of a page of the console, "" if the site's address or the console is not known."""
    site = get_setting("SITE_URL")
    try:
        return f"{site.rstrip('/')}{reverse(f'console:{page}', args=args)}" if site else ""
    except NoReverseMatch:
        return ""
