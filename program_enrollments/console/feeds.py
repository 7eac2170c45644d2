"""Feeds: folders from which a school's files come by themselves (docs/feeds.rst)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console import file_words
from program_enrollments.console.base import SchoolPage
from program_enrollments.console.feed_forms import FeedForm, HolidayForm, initial_of, word_days
from program_enrollments.console.forms import refuse
from program_enrollments.data import FeedFileState, Page, Permission
from program_enrollments.exceptions import FeedRefused
from program_enrollments.pages.tables import Column, Table
from program_enrollments.sentences import translated


class FeedSchoolPage(SchoolPage):
    """A page about a school's feeds."""

    section = "feeds"
    reads_with = Permission.MANAGE_SCHOOL

    @property
    def list_url(self) -> str:
        """The address of the list."""
        return reverse("console:feeds", args=[self.school.key])


class FeedList(FeedSchoolPage):
    """The feeds with their last and next file, the last files, and the holidays."""

    template_name = "program_enrollments/console/feeds.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(HolidayForm())

    def answer(self, form: HolidayForm, *, status: int = 200) -> HttpResponse:
        """Show the page."""
        feeds = api.fetch_feeds(school=self.school, now=timezone.now())
        context = {
            "feeds": feeds,
            "feed_table": self.table(_("Feeds"), self.feed_columns(), feeds.states, self.describe),
            "file_table": self.table(_("Last files"), self.file_columns(), feeds.files, self.describe_file),
            "form": form,
        }
        return self.show(context, status=status)

    def table(
        self, caption: str, columns: list[Column], rows: list[Any], describe: Callable[[Any], dict[str, Any]]
    ) -> Table:
        """Return a table of described rows."""
        return Table(caption=caption, columns=columns, page=Page(list(map(describe, rows))), query=self.request.GET)

    def feed_columns(self) -> list[Column]:
        """Return the columns of the feeds."""
        return [
            Column(name="files", label=_("Files"), link=lambda row: row["url"], note=lambda row: row["what"]),
            Column(name="program", label=_("Program")),
            Column(name="state", label=_("State"), tone=lambda row: row["tone"], note=lambda row: row["late"]),
            Column(name="received_at", label=_("Last file"), kind="time"),
            Column(name="next_at", label=_("Next expected until"), kind="time", note=lambda row: row["days"]),
        ]

    def describe(self, state: api.FeedState) -> dict[str, Any]:
        """Return a feed as the table shows it."""
        feed, times = state.feed, state.times
        is_late = times.late_since is not None
        if not feed.is_active:
            word, tone = _("off"), "quiet"
        elif is_late:
            word, tone = _("late"), "bad"
        elif state.last is not None and state.last.state == FeedFileState.REJECTED:
            word, tone = _("last file rejected"), "wait"
        else:
            word, tone = _("on"), "good"
        return {
            "files": f"{state.folder}/{feed.pattern}",
            "url": reverse("console:feed", args=[self.school.key, feed.pk]),
            "what": f"{file_words.KINDS[feed.kind]}, {file_words.MODES[feed.mode]}",
            "program": feed.program.title if feed.program is not None else "",
            "state": word,
            "tone": tone,
            "late": _("since %(at)s") % {"at": self.word_time(times.late_since)} if is_late else "",
            "received_at": feed.received_at,
            "next_at": times.next_at,
            "days": word_days(api.days_of(feed.expected_days)),
        }

    def word_time(self, moment: Any) -> str:
        """Return a time as the tables show times."""
        return date_format(timezone.localtime(moment), "j M Y, H:i")

    def file_columns(self) -> list[Column]:
        """Return the columns of the last files."""
        return [
            Column(name="path", label=_("File"), kind="code"),
            Column(
                name="state",
                label=_("What became of it"),
                tone=lambda row: row["tone"],
                note=lambda row: row["problem"],
            ),
            Column(name="job", label=_("Job"), show=lambda job: f"#{job}" if job else "", kind="number"),
            Column(name="decided_at", label=_("Time"), kind="time"),
        ]

    def describe_file(self, row: Any) -> dict[str, Any]:
        """Return a file as the table shows it."""
        is_taken = row.state == FeedFileState.TAKEN
        return {
            "path": row.path,
            "state": file_words.state_label(row.job) if is_taken and row.job is not None else row.get_state_display(),
            "tone": (file_words.state_tone(row.job) if is_taken and row.job is not None else "bad") or "quiet",
            "problem": translated(row.problem),
            "job": row.job_id,
            "decided_at": row.decided_at,
        }


class FeedHolidays(FeedList):
    """Skipping days, and expecting files on them again."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.list_url)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if "remove" in request.POST:
            return self.remove(request.POST["remove"])
        form = HolidayForm(request.POST)
        if not form.is_valid():
            return self.answer(form, status=400)
        first = form.cleaned_data["first_day"]
        try:
            api.skip_days(school=self.school, first_day=first, last_day=form.cleaned_data["last_day"] or first)
        except FeedRefused as error:
            refuse(form, error.message, field=error.field)
            return self.answer(form, status=400)
        return self.go(self.list_url, message=_("No file is expected on these days."))

    def remove(self, holiday: str) -> HttpResponse:
        """Expect files on days that were skipped."""
        if not (holiday.isascii() and holiday.isdecimal()):
            raise Http404
        if not api.expect_again(school=self.school, holiday_id=int(holiday[:18])):
            raise Http404
        return self.go(self.list_url, message=_("Files are expected on these days again."))


class FeedAddition(FeedSchoolPage):
    """Adding a feed."""

    template_name = "program_enrollments/console/feed.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.answer(FeedForm(programs=self.programs))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = FeedForm(request.POST, programs=self.programs)
        if not form.is_valid():
            return self.answer(form, status=400)
        try:
            self.save(form.plan())
        except FeedRefused as error:
            refuse(form, error.message, field=error.field)
            return self.answer(form, status=400)
        return self.go(self.list_url, message=_("Saved. The folder is checked about once a minute."))

    def save(self, plan: api.FeedPlan) -> None:
        """Store what the form asks for."""
        api.add_feed(access=self.access, school=self.school, plan=plan, now=timezone.now())

    @property
    def programs(self) -> list[api.Program]:
        """The programs that a feed can be about."""
        return api.fetch_feed_programs(school=self.school)

    def answer(self, form: FeedForm, *, feed: Any = None, status: int = 200) -> HttpResponse:
        """Show the form."""
        context = {"form": form, "feed": feed, "list_url": self.list_url, "root": api.feed_root(school=self.school)}
        return self.show(context, status=status)


class FeedPage(FeedAddition):
    """One feed, and changing it."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        feed = self.feed
        return self.answer(FeedForm(initial=initial_of(feed), programs=self.programs), feed=feed)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        # One of another school is none, whatever the form says.
        self.feed  # noqa: B018
        return super().post(request, **kwargs)

    @property
    def feed(self) -> Any:
        """The feed that the path names."""
        return api.get_feed(school=self.school, feed_id=self.kwargs["feed"])

    def save(self, plan: api.FeedPlan) -> None:
        api.change_feed(
            access=self.access, school=self.school, feed_id=self.kwargs["feed"], plan=plan, now=timezone.now()
        )


class FeedSwitch(FeedSchoolPage):
    """Switching a feed on or off."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.go(self.list_url)

    def post(self, request: HttpRequest, feed: int, **kwargs: Any) -> HttpResponse:
        if (action := request.POST.get("action")) not in {"on", "off"}:
            raise Http404
        try:
            api.switch_feed(
                access=self.access,
                school=self.school,
                feed_id=feed,
                is_active=action == "on",
                now=timezone.now(),
            )
        except FeedRefused as error:
            return self.go(self.list_url, message=error.message, level=messages.ERROR)
        text = _("The feed is on.") if action == "on" else _("The feed is off. Files stay where they are.")
        return self.go(self.list_url, message=text)
