"""The base of every page: what the path names, what the person lacks, what stands around it.

A page of your own: subclass `ConsolePage` (nothing of a program in the path), `ProgramPage`, `CoursePage` or
`SchoolPage`, name the permissions in `reads_with` and `writes_with`, write the methods, and add a path to `urls.py`; a
test of the access matrix fails for one without a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from django.contrib import messages
from django.contrib.messages import get_messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.console.navigation import console_links, program_links, school_links
from program_enrollments.data import Origin, Page, Permission, Source
from program_enrollments.exceptions import PermissionDenied
from program_enrollments.pages.failures import NO_PERMISSION
from program_enrollments.pages.tables import CURSOR
from program_enrollments.pages.views import PageView

PERMISSION_TEMPLATE = "program_enrollments/console/no_permission.html"
CSV = "csv"
ROWS = 50


class Seen(NamedTuple):
    """Personal data that a page shows: how many rows, by which filters, of which single learner."""

    page: str
    rows: int
    filters: Sequence[str] = ()
    learner_id: int | None = None


class ConsolePage(PageView):
    """A page of the console."""

    section: ClassVar[str] = ""
    """The entry of the navigation that the page belongs to."""
    reads_with: ClassVar[str | None] = None
    writes_with: ClassVar[str | None] = None
    """The permission that looking takes, and that changing something takes; None takes any grant."""

    access: api.Access
    permissions: frozenset[str] = frozenset()
    """What the person may do with what the path names."""

    def authorize(self) -> None:
        self.access = api.authorize(user=self.request.user).access
        self.frame.navigation = console_links(current=self.section)

    @property
    def permission(self) -> str | None:
        """The permission that the request takes."""
        is_safe = self.request.method in {"GET", "HEAD", "OPTIONS"}
        return self.reads_with if is_safe else self.writes_with or self.reads_with

    def surroundings(self) -> dict[str, Any]:
        return {"home_url": reverse("console:home"), "messages": get_messages(self.request)}

    def origin(self, *, reason: str = "") -> Origin:
        """Return what the ledger says of this request."""
        return Origin(
            source=Source.CONSOLE.value,
            actor_id=self.access.user_id,
            request_id=self.frame.reference,
            reason=reason,
        )

    @property
    def cursor(self) -> str | None:
        """The page of the list that is asked for."""
        return self.request.GET.get(CURSOR) or None

    @property
    def page_size(self) -> int:
        """The rows of a page: fewer than an answer of the API has, since people read them."""
        return min(ROWS, int(get_setting("PAGE_SIZE")))

    @property
    def wants_csv(self) -> bool:
        """Whether the list is asked for as a file."""
        return self.request.GET.get("format") == CSV

    def go(self, url: str, *, message: str | Promise = "", level: int = messages.SUCCESS) -> HttpResponse:
        """Return a redirect to another page, which says `message`."""
        if message:
            messages.add_message(self.request, level, str(message), fail_silently=True)
        return HttpResponseRedirect(url)

    def fail(self, error: Exception) -> HttpResponse:
        if isinstance(error, PermissionDenied):
            return self.show_failure(
                error, NO_PERMISSION, template=PERMISSION_TEMPLATE, **self.describe_lack(error.extra["permission"])
            )
        return super().fail(error)

    def describe_lack(self, permission: str) -> dict[str, Any]:
        """Return what the page says about a missing permission."""
        return {"permission": Permission(permission).label, "managers": []}


class ProgramPage(ConsolePage):
    """A page of a program."""

    program: api.Program
    scope: api.Scope
    seen: Seen | None = None

    def authorize(self) -> None:
        self.scope = api.authorize(
            user=self.request.user, program=self.kwargs["program"], course=self.kwargs.get("course")
        )
        assert self.scope.program is not None  # noqa: S101  (named in the path)
        self.access, self.program = self.scope.access, self.scope.program
        self.frame.school = self.program.school
        self.permissions = self.access.permissions_on(self.program)
        self.frame.navigation = [
            *console_links(current=""),
            *program_links(self.program, permissions=self.permissions, current=self.section),
            *school_links(self.program.school, access=self.access, permissions=self.permissions, current=self.section),
        ]
        self.require()

    def require(self) -> None:
        """Raise PermissionDenied if the person lacks what the request takes."""
        if self.permission is not None and self.permission not in self.permissions:
            raise PermissionDenied(permission=self.permission)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and record whose data was seen."""
        response = super().dispatch(request, *args, **kwargs)
        if self.seen is not None and response.status_code == 200:
            self.record(self.seen)
        return response

    def record(self, seen: Seen, *, is_export: bool = False) -> None:
        """Record that the person saw, or exported, personal data."""
        api.record_disclosure(
            user_id=self.access.user_id,
            program=self.program,
            page=seen.page,
            rows=seen.rows,
            filters=seen.filters,
            learner_id=seen.learner_id,
            is_export=is_export,
            now=timezone.now(),
        )

    def surroundings(self) -> dict[str, Any]:
        program = getattr(self, "program", None)
        return {**super().surroundings(), "program": program, "permissions": self.permissions}

    def describe_lack(self, permission: str) -> dict[str, Any]:
        managers = api.fetch_access_managers(school_id=self.program.school_id)
        return {**super().describe_lack(permission), "managers": managers}

    def url(self, name: str, *args: Any) -> str:
        """Return the address of a page of this program."""
        return reverse(f"console:{name}", args=[self.program.uuid, *args])

    def identity_reach(self) -> api.Reach:
        """Return on which part of the program's school the person may change learners' identities."""
        return self.access.reach(permission=Permission.WRITE_ENROLLMENTS, school_id=self.program.school_id)


class CoursePage(ProgramPage):
    """A page of a course run of a program."""

    course_run: api.CourseRun

    def authorize(self) -> None:
        super().authorize()
        assert self.scope.course_run is not None  # noqa: S101  (named in the path)
        self.course_run = self.scope.course_run

    def surroundings(self) -> dict[str, Any]:
        return {**super().surroundings(), "course_run": getattr(self, "course_run", None)}

    def course_url(self, name: str, *args: Any) -> str:
        """Return the address of a page of this course run."""
        return self.url(name, self.course_run.course_id, *args)


class SchoolPage(ConsolePage):
    """A page of a school as a whole."""

    school: api.School

    def authorize(self) -> None:
        scope = api.authorize_school(user=self.request.user, key=self.kwargs["school"])
        assert scope.school is not None  # noqa: S101  (named in the path)
        self.access, self.school = scope.access, scope.school
        self.frame.school = self.school
        held = frozenset(
            permission
            for permission in Permission.values
            if self.access.reach(permission=permission, school_id=self.school.pk).is_school_wide
        )
        self.permissions = held
        self.frame.navigation = [
            *console_links(current=""),
            *school_links(self.school, access=self.access, permissions=held, current=self.section),
        ]
        if self.permission is not None and self.permission not in held:
            raise PermissionDenied(permission=self.permission)

    def surroundings(self) -> dict[str, Any]:
        return {**super().surroundings(), "school": getattr(self, "school", None), "permissions": self.permissions}

    def describe_lack(self, permission: str) -> dict[str, Any]:
        managers = api.fetch_access_managers(school_id=self.school.pk)
        return {**super().describe_lack(permission), "managers": managers}


class NothingHere(ConsolePage):
    """Every path below the console that no page has."""

    def get(self, request: HttpRequest, path: str) -> HttpResponse:
        raise Http404

    post = get


EMPTY = Page()
"""A page of a list without rows: what a filter that cannot be read finds."""
