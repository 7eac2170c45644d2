"""Whatever fails becomes a page that says what to do, under a reference number that the log has."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from demo_lms.host import DemoHost
from program_enrollments.data import Permission
from program_enrollments.pages.views import PageView
from tests.console.conftest import Desk, administrator, campus
from tests.factories.enrollment import LinkedLearnerFactory, ProgramCourseEnrollmentFactory
from tests.rest_api.callers import Campus

__all__ = ["campus"]

REFERENCE = re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}")


class BrokenPage(PageView):
    """A page with a mistake in it, of the kind that quotes what it was working on."""

    def authorize(self) -> None:
        pass

    def get(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError("kim@uni.example")


class DownHost(DemoHost):
    """Does not answer when it is asked for grades."""

    def __init__(self) -> None:
        super().__init__()
        self.grades = self

    def fetch_grades(self, **_named: Any) -> Any:
        raise ConnectionRefusedError("grades.internal refuses kim@uni.example")


@pytest.fixture
def desk(campus: Campus) -> Desk:
    return administrator(Permission.READ_REPORTS, campus=campus)


def test_the_unforeseen_is_logged_without_what_it_says(
    desk: Desk, rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    request = rf.get("/")
    request.user = desk.user

    response: Any = BrokenPage.as_view()(request)

    assert response.status_code == 500
    shown = response.content.decode()
    assert "Something went wrong on our side" in shown
    reference = REFERENCE.search(shown)
    assert reference is not None
    assert reference[0] in caplog.text
    assert "RuntimeError at " in caplog.text
    assert "kim" not in caplog.text + shown
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_an_outage_is_told_as_one(desk: Desk, campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.DownHost"}
    learner = LinkedLearnerFactory(school=campus.school)
    ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)

    page = desk.open("course-grades", campus.program.uuid, campus.course_run.course_id)

    assert page.status == 503
    assert "The platform does not answer just now" in page.text
    assert "internal" not in page.text


def test_a_cursor_of_nobody_leads_back_to_the_beginning(desk: Desk) -> None:
    page = desk.open("home", cursor="nonsense")

    assert page.status == 404
    assert "Start again at its first page." in page.text


def test_refusals_are_no_errors_in_the_log(desk: Desk, campus: Campus, caplog: pytest.LogCaptureFixture) -> None:
    assert desk.open("learners", campus.program.uuid).status == 403
    assert desk.open("learners", "00000000-0000-4000-8000-000000000000").status == 404

    assert [record for record in caplog.records if record.levelname in {"ERROR", "WARNING"}] == []


def test_methods_that_a_page_has_not_are_refused(desk: Desk) -> None:
    assert desk.client.delete("/console/").status_code == 405
