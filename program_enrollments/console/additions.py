"""Adding learners: one, or many pasted at once, to a program or a course run, with a preview first."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console.base import CoursePage, ProgramPage, Seen
from program_enrollments.console.forms import CoursePasteForm, PasteForm, ProgramPasteForm, refuse
from program_enrollments.console.pasted_lines import PastedLine, read_lines
from program_enrollments.console.statuses import preview_table, told
from program_enrollments.data import (
    CourseEnrollmentRequest,
    CourseStatus,
    Permission,
    ProgramEnrollmentRequest,
    ProgramStatus,
    RowOutcome,
    Verb,
)


class Addition(ProgramPage):
    """A form for learners to be added; its preview is a dry run of the write that follows."""

    section = "learners"
    reads_with = Permission.WRITE_ENROLLMENTS
    template_name = "program_enrollments/console/addition.html"
    statuses: ClassVar[list[str]] = ProgramStatus.values

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        lines = "\n".join(request.GET.getlist("learner"))
        return self.show({"form": self.make_form(initial={"lines": lines}), "list_url": self.list_url()})

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = self.make_form(request.POST)
        lines = read_lines(request.POST.get("lines", ""), statuses=self.statuses)
        if form.is_valid() and not lines:
            refuse(form, _("No line names a learner. Write a student ID or an e-mail address on each."), field="lines")
        limit = get_setting("MAX_ROWS")
        if len(lines) > limit:
            refuse(form, _("At most %(limit)d lines at once. Upload larger files.") % {"limit": limit}, field="lines")
        if not form.is_valid():
            return self.show({"form": form, "list_url": self.list_url()}, status=400)
        confirmed = "confirm" in request.POST
        outcomes = self.write(form, lines, dry_run=not confirmed)
        if confirmed:
            return self.go(self.list_url(), **told(outcomes))
        self.seen = Seen("addition", len(lines))
        pairs = sorted(zip(lines, outcomes, strict=True), key=lambda pair: pair[1].good)
        rows = [{"student_key": line.text, "outcome": outcome} for line, outcome in pairs]
        return self.show(
            {
                "form": form,
                "table": preview_table(rows, query=request.GET),
                "changes": sum(outcome.changed for outcome in outcomes),
                "refused": sum(not outcome.good for outcome in outcomes),
                "list_url": self.list_url(),
            }
        )

    @abstractmethod
    def make_form(self, data: Any = None, *, initial: dict[str, str] | None = None) -> PasteForm:
        """Return the form, filled with `data`."""

    @abstractmethod
    def write(self, form: PasteForm, lines: list[PastedLine], *, dry_run: bool) -> list[RowOutcome]:
        """Write the lines, or find out what would be written."""

    @abstractmethod
    def list_url(self) -> str:
        """Return where the learners are listed."""


class ProgramAddition(Addition):
    """Learners to be added to a program."""

    def make_form(self, data: Any = None, *, initial: dict[str, str] | None = None) -> PasteForm:
        described = api.describe_program(access=self.access, program=self.program)
        curricula = [(one["uuid"], one["name"] or one["uuid"]) for one in described["curricula"] if one["is_active"]]
        return ProgramPasteForm(data, initial=initial, curricula=curricula)

    def write(self, form: PasteForm, lines: list[PastedLine], *, dry_run: bool) -> list[RowOutcome]:
        data = form.cleaned_data
        curriculum = UUID(data["curriculum"]) if data["curriculum"] else None
        rows = [
            ProgramEnrollmentRequest(
                str(line.number), line.student_key, line.email, line.status or data["status"], curriculum
            )
            for line in lines
        ]
        return api.write_program_enrollments(
            program=self.program,
            rows=rows,
            verb=Verb(data["verb"]),
            origin=self.origin(reason=data["reason"]),
            identity_reach=self.identity_reach,
            dry_run=dry_run,
        )

    def list_url(self) -> str:
        return self.url("learners")


class CourseAddition(Addition, CoursePage):
    """Learners of the program to be added to a course run."""

    section = "courses"
    statuses = CourseStatus.values

    def make_form(self, data: Any = None, *, initial: dict[str, str] | None = None) -> PasteForm:
        return CoursePasteForm(data, initial=initial)

    def write(self, form: PasteForm, lines: list[PastedLine], *, dry_run: bool) -> list[RowOutcome]:
        data = form.cleaned_data
        rows = [
            CourseEnrollmentRequest(
                str(line.number),
                line.student_key,
                line.email,
                line.status or data["status"],
                True if data["course_staff"] else None,
            )
            for line in lines
        ]
        return api.write_course_enrollments(
            program=self.program,
            course_run=self.course_run,
            rows=rows,
            verb=Verb(data["verb"]),
            origin=self.origin(reason=data["reason"]),
            identity_reach=self.identity_reach,
            dry_run=dry_run,
        )

    def list_url(self) -> str:
        return self.course_url("roster")
