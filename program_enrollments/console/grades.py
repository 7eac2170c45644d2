"""Grades: whether they are ready, freezing and reopening them, and the versions there are."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console.base import CoursePage, ProgramPage, Seen
from program_enrollments.console.forms import ReasonForm
from program_enrollments.data import Origin, Page, Permission
from program_enrollments.exceptions import AlreadyFrozen, NotFrozen
from program_enrollments.pages.charts import Sparkline
from program_enrollments.pages.csv_files import csv_response
from program_enrollments.pages.tables import Column, Table

FROZEN_COLUMNS = ("student_key", "letter_grade", "percent", "passed", "error")


class GradeList(ProgramPage):
    """The course runs of a program, frozen or not; registrars can freeze all at once."""

    section = "grades"
    reads_with = Permission.READ_REPORTS
    writes_with = Permission.FREEZE_GRADES
    template_name = "program_enrollments/console/grades.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(ReasonForm())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        try:
            entries = api.freeze_program_grades(
                program=self.program, origin=self.origin(reason=form.cleaned_data["reason"])
            )
        except AlreadyFrozen:
            return self.go(request.path, message=_("All grades are frozen already."), level=messages.INFO)
        failed = [entry for entry in entries if isinstance(entry, api.FreezeFailure)]
        frozen = len(entries) - len(failed)
        text = ngettext("%(count)d course was frozen.", "%(count)d courses were frozen.", frozen) % {"count": frozen}
        details = " ".join(f"{entry.course_id}: {entry.error}" for entry in failed)
        level = messages.WARNING if failed else messages.SUCCESS
        return self.go(request.path, message=f"{text} {details}".strip(), level=level)

    def answer(self, form: ReasonForm, *, status: int = 200) -> HttpResponse:
        """Show the page, with the form as it is filled in."""
        states = api.fetch_run_states(program=self.program)
        rows = [
            {
                "course_id": state.course_run.course_id,
                "title": state.course_run.title or state.course_run.course_id,
                "external_key": state.course_run.external_key,
                "state": _("frozen, version %(version)d") % {"version": state.version}
                if state.version
                else _("not frozen"),
                "is_frozen": bool(state.version),
                "frozen_at": state.frozen_at,
                "count": state.count,
            }
            for state in states
        ]
        columns = [
            Column(name="title", label=_("Course"), link=lambda row: self.url("course-grades", row["course_id"])),
            Column(name="external_key", label=_("Own key"), kind="code"),
            Column(name="state", label=_("Grades"), tone=lambda row: "good" if row["is_frozen"] else "wait"),
            Column(name="frozen_at", label=_("Frozen at"), kind="time"),
            Column(name="count", label=_("Rows"), kind="number"),
        ]
        table = Table(caption=_("Grades by course"), columns=columns, page=Page(rows), query=self.request.GET)
        can_freeze = Permission.FREEZE_GRADES in self.permissions and any(not row["is_frozen"] for row in rows)
        return self.show({"table": table, "form": form, "can_freeze": can_freeze}, status=status)


class CourseGrades(CoursePage):
    """The grades of a course run: a summary, the versions, and the form that freezes or reopens them."""

    section = "grades"
    reads_with = Permission.READ_REPORTS
    template_name = "program_enrollments/console/course_grades.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(ReasonForm())

    def answer(self, form: ReasonForm, *, status: int = 200) -> HttpResponse:
        """Show the page, with the form as it is filled in."""
        summary = api.summarize_grades(program=self.program, course_run=self.course_run)
        versions = api.fetch_freezes(
            program=self.program, course_run=self.course_run, cursor=None, page_size=self.page_size
        )
        is_frozen = summary.standing is not None
        needed = Permission.REOPEN_GRADES if is_frozen else Permission.FREEZE_GRADES
        name = "reopen" if is_frozen else "freeze"
        return self.show(
            {
                "summary": summary,
                "classes": _classes(summary),
                "chart": Sparkline(summary.classes),
                "missing": summary.missing.items(),
                "letters": summary.letters.items(),
                "versions": self.versions(versions),
                "form": form,
                "may_change": needed in self.permissions,
                "action": self.course_url(name),
            },
            status=status,
        )

    def versions(self, page: Page) -> Table:
        """Return the table of versions, the newest first."""
        rows = [
            {
                **row,
                "state": _("reopened") if row["reopened_at"] else _("in force"),
                "acknowledgements": _("Acknowledgements"),
            }
            for row in page.rows
        ]
        columns = [
            Column(
                name="version",
                label=_("Version"),
                link=lambda row: self.course_url("version", row["version"]),
                show=lambda number: _("Version %(number)d, as CSV") % {"number": number},
            ),
            Column(name="state", label=_("State"), tone=lambda row: "quiet" if row["reopened_at"] else "good"),
            Column(name="frozen_at", label=_("Frozen at"), kind="time", note=lambda row: row["frozen_by"]),
            Column(name="reason", label=_("Reason"), note=_reopened),
            Column(name="count", label=_("Rows"), kind="number"),
            Column(name="digest", label=_("Digest (SHA-256)"), kind="code"),
            Column(
                name="acknowledgements",
                label=_("Your system"),
                link=lambda row: self.course_url("acknowledgements", row["version"]),
            ),
        ]
        return Table(caption=_("Versions"), columns=columns, page=Page(list(reversed(rows))), query=self.request.GET)


def _reopened(row: Any) -> str:
    if not row["reopened_at"]:
        return ""
    return _("Reopened by %(who)s: %(reason)s") % {"who": row["reopened_by"], "reason": row["reopen_reason"]}


def _classes(summary: api.GradeSummary) -> list[dict[str, Any]]:
    return [
        {"label": f"{number * 10}–{number * 10 + 10} %", "count": count} for number, count in enumerate(summary.classes)
    ]


class GradeChange(CourseGrades):
    """What the form of that page is sent to: a reason, and the page again with what was done."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.course_url("course-grades"))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        page = self.course_url("course-grades")
        try:
            version = self.change(self.origin(reason=form.cleaned_data["reason"]))
        except (AlreadyFrozen, NotFrozen) as error:
            return self.go(page, message=error.message, level=messages.INFO)
        return self.go(page, message=str(self.done) % {"version": version})

    done: ClassVar[str | Promise]
    """What the page says afterwards."""

    def change(self, origin: Origin) -> int:
        """Change the grades, and return the number of the version."""
        raise NotImplementedError


class Freeze(GradeChange):
    """Freezing the grades as they stand."""

    reads_with = Permission.FREEZE_GRADES
    done = gettext_lazy("The grades are frozen as version %(version)d. Keep the digest: it proves a copy.")

    def change(self, origin: Origin) -> int:
        return api.freeze_grades(program=self.program, course_run=self.course_run, origin=origin).version


class Reopen(GradeChange):
    """Reopening the version in force."""

    reads_with = Permission.REOPEN_GRADES
    done = gettext_lazy("Version %(version)d is reopened. The next freeze is a new version.")

    def change(self, origin: Origin) -> int:
        return api.reopen_grades(program=self.program, course_run=self.course_run, origin=origin).version


class Version(CoursePage):
    """A version of frozen grades, as a file."""

    section = "grades"
    reads_with = Permission.READ_REPORTS

    def get(self, request: HttpRequest, version: int, **kwargs: Any) -> HttpResponseBase:
        frozen = api.get_freeze(program=self.program, course_run=self.course_run, version=version)
        return csv_response(
            name=f"grades-version-{frozen.version.version}",
            header=FROZEN_COLUMNS,
            rows=([row.get(name) for name in FROZEN_COLUMNS] for row in frozen.rows()),
            when_sent=lambda count: self.record(Seen("frozen grades", count), is_export=True),
        )


class GradeRows(CoursePage):
    """The grades of a course run, one by one."""

    section = "grades"
    reads_with = Permission.READ_REPORTS
    template_name = "program_enrollments/console/grade_rows.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if self.wants_csv:
            return csv_response(
                name="grades",
                header=FROZEN_COLUMNS,
                rows=self.rows(),
                when_sent=lambda count: self.record(Seen("grades", count), is_export=True),
            )
        page = self.fetch(self.cursor, self.page_size)
        self.seen = Seen("grades", len(page.page.rows))
        columns = [
            Column(name="student_key", label=_("Student ID"), kind="code"),
            Column(name="letter_grade", label=_("Letter")),
            Column(name="percent", label=_("Percent"), kind="number", show=_percent),
            Column(name="passed", label=_("Passed"), show=_yes_or_no),
            Column(name="error", label=_("Why there is no grade")),
        ]
        table = Table(caption=_("Grades"), columns=columns, page=page.page, query=request.GET)
        return self.show({"table": table, "grades": page})

    def fetch(self, cursor: str | None, page_size: int) -> api.GradePage:
        """Return a page of grades."""
        return api.fetch_grades(program=self.program, course_run=self.course_run, cursor=cursor, page_size=page_size)

    def rows(self) -> Any:
        """Give every row, page by page."""
        cursor: str | None = None
        while True:
            page = self.fetch(cursor, int(get_setting("PAGE_SIZE"))).page
            yield from ([row.get(name) for name in FROZEN_COLUMNS] for row in page.rows)
            cursor = page.next_cursor
            if cursor is None:
                return


def _percent(value: Any) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _yes_or_no(value: Any) -> str:
    return "" if value is None else _("yes") if value else _("no")
