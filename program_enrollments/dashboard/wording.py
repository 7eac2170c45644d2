"""Every state in words: where a learner stands, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.data import LinkHow, ProgramStatus
from program_enrollments.pages.branding import Theme, theme_of
from program_enrollments.pages.frames import Contact, Frame


class Words(NamedTuple):
    """A state: a tone of the stylesheet, what is so, and what to do about it. Either may be empty."""

    tone: str
    title: str
    advice: str = ""
    url: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class CourseSection:
    """A group of courses below its heading."""

    name: str
    title: str
    courses: list[api.OwnCourse]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProgramCard:
    """A program as a card, or at the head of its page."""

    program: api.OwnProgram
    url: str
    state: Words
    summary: str
    contact: Contact
    theme: Theme
    ring: tuple[float, float]
    """The lengths of the ring's full and empty part."""
    continue_course: api.OwnCourse | None
    next_due: api.OwnCourse | None


def day(moment: datetime | None) -> str:
    """Return a day in the viewer's zone and notation."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT") if moment is not None else ""


RING = 2 * 3.14159265 * 26
"""The circumference of the ring, which has a radius of 26."""


def card_of(program: api.OwnProgram) -> ProgramCard:
    """Return a program as pages show it."""
    contact = contact_of(program)
    full = RING * program.percent / 100
    due = [course for course in program.courses if course.is_open and course.due is not None]
    return ProgramCard(
        program=program,
        url=reverse("dashboard:program", args=[program.uuid]),
        state=tell_status(program, contact),
        summary=tell_progress(program),
        contact=contact,
        theme=theme_of(color=program.school.primary_color, logo_url=program.school.logo_url),
        ring=(round(full, 1), round(RING - full, 1)),
        continue_course=program.continue_course,
        next_due=min(due, key=_moment_due, default=None),
    )


def _moment_due(course: api.OwnCourse) -> float:
    assert course.due is not None  # noqa: S101  (only those that have one)
    return course.due.due.timestamp()


def contact_of(program: api.OwnProgram) -> Contact:
    """Return whom to ask about a program: its advisor, or else the school, or else the platform."""
    if program.advisor_email:
        return Contact(program.advisor_name, program.advisor_email)
    return Frame("", school=program.school).contact


def tell_progress(program: api.OwnProgram) -> str:
    """Return how many courses are done; "" while there are none."""
    if not program.total:
        return ""
    text = ngettext("%(done)d of %(total)d course done", "%(done)d of %(total)d courses done", program.total)
    return text % {"done": program.done, "total": program.total}


def tell_status(program: api.OwnProgram, contact: Contact) -> Words:
    """Return where the learner stands in a program."""
    return STATUSES[ProgramStatus(program.status)](day(program.since), ask(contact))


def ask(contact: Contact) -> str:
    """Return the sentence that names whom to ask."""
    return _("Ask %(name)s.") % {"name": contact.name} if contact.email else _("Ask your university.")


STATUSES: dict[ProgramStatus, Callable[[str, str], Words]] = {
    ProgramStatus.ENROLLED: lambda since, whom: Words(
        "good", _("You have been enrolled since %(day)s.") % {"day": since}
    ),
    ProgramStatus.PENDING: lambda since, whom: Words(
        "wait",
        _("Your place has been waiting for your university's decision since %(day)s.") % {"day": since},
        _("You need not do anything. If you expected a decision by now:") + " " + whom,
    ),
    ProgramStatus.SUSPENDED: lambda since, whom: Words(
        "wait",
        _("Your place has been suspended since %(day)s.") % {"day": since},
        _("Nothing that you did is lost. Your university decides how and when you can go on.") + " " + whom,
    ),
    ProgramStatus.CANCELED: lambda since, whom: Words(
        "bad",
        _("Your place was canceled on %(day)s.") % {"day": since},
        _("You can still read this page. If you think that this is a mistake:") + " " + whom,
    ),
    ProgramStatus.ENDED: lambda since, whom: Words(
        "", _("This program ended for you on %(day)s.") % {"day": since}, _("You can still read all of it here.")
    ),
}


def tell_notices(notices: Iterable[api.Notice]) -> list[Words]:
    """Return the notices that are not about one program."""
    return [NOTICES[api.NoticeKind(notice.kind)](notice) for notice in notices]


def _contact(notice: api.Notice) -> str:
    return ask(Frame("", school=notice.school).contact)


def _reference(notice: api.Notice) -> str:
    return _("Give them this reference: %(reference)s.") % {"reference": notice.reference}


def _school(notice: api.Notice) -> str:
    return notice.school.name if notice.school is not None else ""


NOTICES: dict[api.NoticeKind, Callable[[api.Notice], Words]] = {
    api.NoticeKind.DISPUTED: lambda notice: Words(
        "bad",
        _("Another account has your place at %(school)s.") % {"school": _school(notice)},
        _("If you have a second account, sign in with that one: your programs are there.")
        + " "
        + _("If you don't, a person has to decide which account is yours.")
        + f" {_contact(notice)} {_reference(notice)}",
    ),
    api.NoticeKind.CLAIMED: lambda notice: Words(
        "wait",
        _("Another account says that it is you at %(school)s.") % {"school": _school(notice)},
        _("Your place stays yours until a person has decided. If the other account is yours as well, tell support.")
        + f" {_contact(notice)} {_reference(notice)}",
    ),
    api.NoticeKind.IN_QUESTION: lambda notice: Words(
        "wait",
        _("%(school)s may have given your student ID to somebody else.") % {"school": _school(notice)},
        _("A person checks this; until then nothing new is added.") + f" {_contact(notice)} {_reference(notice)}",
    ),
    api.NoticeKind.UNFINISHED: lambda notice: Words(
        "wait",
        _("Your enrollments at %(school)s are not all here yet.") % {"school": _school(notice)},
        _("We try again by ourselves. If they are still missing tomorrow:")
        + f" {_contact(notice)} {_reference(notice)}",
    ),
    api.NoticeKind.NOTHING_ENROLLED: lambda notice: Words(
        "wait",
        _("%(school)s has not enrolled you in a program yet.") % {"school": _school(notice)},
        _("You are signed in, and known there as %(name)s. Your programs appear here as soon as you are enrolled.")
        % {"name": notice.name}
        + f" {_contact(notice)}",
    ),
    api.NoticeKind.UNCONFIRMED: lambda notice: Words(
        "wait",
        _("Your e-mail address %(email)s is not confirmed yet.") % {"email": notice.name},
        _("A university that knows you by this address finds you once you have confirmed it.")
        + " "
        + _("Open the mail that we sent you, and follow its link."),
    ),
    api.NoticeKind.UNKNOWN: lambda notice: Words(
        "wait",
        _("No university knows this account yet."),
        _("You are signed in as %(name)s. If your university enrolled you, sign in through your university,")
        % {"name": notice.name}
        + " "
        + _("or with the account whose e-mail address it knows."),
    ),
}


def sections_of(program: api.OwnProgram) -> list[CourseSection]:
    """Return the courses of a program by group."""
    return [
        CourseSection(name, str(api.CourseGroup(name).label), list(courses), _note(name, program))
        for name, courses in groupby(program.courses, key=lambda course: course.group)
    ]


def _note(group: str, program: api.OwnProgram) -> str:
    if group == api.CourseGroup.LATER:
        return _("These are part of your plan of study. Your university enrolls you when they are offered.")
    if group == api.CourseGroup.CLOSED and not program.is_over:
        return _("Your university has closed these courses for you.")
    return ""


def tell_refusals(program: api.OwnProgram) -> list[Words]:
    """Return what the learner has to know about the seats that the platform refused."""
    whom = ask(contact_of(program))
    told = []
    for course in program.refused:
        title = _("The platform has not let you into “%(course)s” yet.") % {"course": course.title}
        reference = _("Give them this reference: %(reference)s.") % {"reference": course.reference}
        first = (
            _("It will not by itself: a person has to look.")
            if course.is_given_up
            else _("We try again by ourselves. If it stays so:")
        )
        told.append(Words("bad" if course.is_given_up else "wait", title, f"{first} {whom} {reference}"))
    return told


HOW: dict[str, str | Callable[[], str]] = {
    LinkHow.SSO.value: lambda: _("You signed in through your university, which named your student ID."),
    LinkHow.EMAIL.value: lambda: _("You confirmed an e-mail address that your university had sent us."),
    LinkHow.STAFF.value: lambda: _("Support staff of this platform linked you."),
    LinkHow.COMMAND.value: lambda: _("The operators of this platform linked you."),
}


def tell_link(learner: api.OwnLearner) -> str:
    """Return how the account was linked to the school's learner."""
    told = HOW.get(learner.link_how, "")
    return told if isinstance(told, str) else told()
