"""Courses of a program by term, and the roster of each."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console.base import EMPTY, CoursePage, ProgramPage
from program_enrollments.console.forms import RosterFilterForm
from program_enrollments.console.learners import STATE, LearnerList
from program_enrollments.data import LearnerFilters, Page, Permission
from program_enrollments.pages.tables import Column, Table


class CourseList(ProgramPage):
    """The course runs of a program, by term."""

    section = "courses"
    template_name = "program_enrollments/console/courses.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        cards = api.fetch_course_cards(program=self.program, now=timezone.now())
        can_read = Permission.READ_ENROLLMENTS in self.permissions
        rows = [
            {"card": card, "term": _term(card), "url": self.url("roster", card.course_run.course_id)} for card in cards
        ]
        return self.show({"rows": rows, "can_read": can_read, "counted_at": cards[0].counted_at if cards else None})


def _term(card: api.CourseCard) -> str:
    start = card.course_run.start
    if start is None:
        return _("Without dates")
    return _("Starts in %(month)s") % {"month": date_format(timezone.localtime(start), "F Y")}


class Roster(LearnerList, CoursePage):
    """The learners of a course run, with what the platform refused."""

    section = "courses"
    template_name = "program_enrollments/console/roster.html"
    form_class = RosterFilterForm
    name = "roster"

    def fetch(self, filters: LearnerFilters | None, cursor: str | None, page_size: int) -> api.ListedLearners:
        page = EMPTY
        if filters is not None:
            page = api.fetch_roster(
                program=self.program, course_run=self.course_run, filters=filters, cursor=cursor, page_size=page_size
            )
        return api.ListedLearners(page, courses=[])

    def file_key(self) -> str:
        return str(self.course_run.external_key or self.course_run.pk).replace("/", "-").replace('"', "")

    def columns(self) -> list[Column]:
        key, email, username, status, _curriculum, _state = super().columns()
        return [
            Column(name="course_id", label=_("Course"), is_for_csv=True),
            key,
            email,
            username,
            status,
            Column(name="course_staff", label=_("Course staff"), show=lambda held: _("yes") if held else ""),
            STATE,
            Column(name="refusal", label=_("Refused by the platform")),
        ]

    def table(self, page: Page) -> Table:
        table = super().table(page)
        has_refusals = any(row["refusal"] for row in page.rows)
        columns = [one for one in table.columns if one.name != "refusal" or has_refusals]
        caption = _("Learners of %(course)s") % {"course": self.course_run.title or self.course_run.course_id}
        return Table(
            caption=caption,
            columns=columns,
            page=page,
            query=table.query,
            choose=table.choose,
            choose_by=table.choose_by,
        )
