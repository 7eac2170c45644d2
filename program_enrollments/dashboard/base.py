"""The base of the dashboard's pages: the person signed in, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.messages import get_messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.pages.frames import Link, LinkGroup
from program_enrollments.pages.views import PageView


class DashboardPage(PageView):
    """A page about the person who is signed in. No address names anybody."""

    section: ClassVar[str] = ""

    def authorize(self) -> None:
        self.frame.navigation = [LinkGroup("", self.links())]

    def links(self) -> list[Link]:
        """Return the navigation."""
        return [
            Link(_("My programs"), reverse("dashboard:all"), self.section == "programs"),
            Link(_("My data"), reverse("dashboard:own-data"), self.section == "own-data"),
        ]

    def surroundings(self) -> dict[str, Any]:
        return {"home_url": reverse("dashboard:home"), "messages": get_messages(self.request)}

    def dress(self, schools: Sequence[api.School]) -> None:
        """Take the brand of the only school, or none if there are several."""
        if len(schools) == 1:
            self.frame.school = schools[0]


class NothingHere(DashboardPage):
    """Every path below the dashboard that no page has."""

    def get(self, request: HttpRequest, path: str) -> HttpResponse:
        raise Http404

    post = get


def heading_of(name: str) -> str | Promise:
    """Return the heading of a group of courses."""
    return api.CourseGroup(name).label
