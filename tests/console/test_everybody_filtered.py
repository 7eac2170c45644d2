"""Changing the status of everybody whom a list's filters find, on all of its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from program_enrollments.data import Permission
from program_enrollments.models import Disclosure, LedgerEntry, PreemptiveCourseEnrollment, PreemptiveProgramEnrollment
from tests.console.conftest import Desk, Page, enroll
from tests.factories.enrollment import LinkedLearnerFactory, ProgramEnrollmentFactory
from tests.rest_api.callers import Campus, make_campus

BUTTON = '//button[@name="everybody"]'


@pytest.fixture(autouse=True)
def _short_pages(settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "PAGE_SIZE": 2}


def preview(desk: Desk, campus: Campus, *, status: str = "suspended", query: str = "", **more: Any) -> Page:
    return desk.send("status", campus.program.uuid, everybody="1", filter=query, status=status, **more)


def confirm(desk: Desk, campus: Campus, page: Page, **more: Any) -> Page:
    """Send the form that a preview shows, with a reason."""
    form = page.tree.xpath('//form[.//button[@name="confirm"]]')[0]
    sent = {one.get("name"): one.get("value") for one in form.xpath('.//input[@type="hidden"]')}
    return desk.send("status", campus.program.uuid, **{**sent, "confirm": "1", "reason": "The term is over", **more})


def statuses() -> dict[str, str]:
    stored = PreemptiveProgramEnrollment.objects.values_list("learner__student_key", "status")
    return dict(stored)


def test_a_list_of_several_pages_offers_it(registrar: Desk, campus: Campus, holding: Callable[..., Desk]) -> None:
    enroll(campus, "S-1", "S-2")
    assert registrar.open("learners", campus.program.uuid).tree.xpath(BUTTON) == []
    enroll(campus, "S-3")

    page = registrar.open("learners", campus.program.uuid, status="enrolled", q="S-")

    (button,) = page.tree.xpath(BUTTON)
    assert button.text == "Preview for everybody who fits the filters"
    assert page.tree.xpath('//input[@name="filter"]/@value') == ["status=enrolled&q=S-"]
    viewer = holding(Permission.READ_ENROLLMENTS)
    assert viewer.open("learners", campus.program.uuid).tree.xpath(BUTTON) == []


def test_the_preview_says_how_many_and_whom(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3", "S-4")
    enroll(campus, "S-5", status="ended")
    before = LedgerEntry.objects.count()

    page = preview(registrar, campus, query="status=enrolled&q=S-&cursor=nonsense")

    assert page.rows() == [f"S-{number} enrolled → suspended" for number in (1, 2, 3, 4)]
    assert "The filters find 4 learners, on all pages of the list: Search: S-Status: enrolled" in page.text
    assert "Change 4 learners" in page.text
    assert LedgerEntry.objects.count() == before
    seen = Disclosure.objects.get(page="status change")
    assert (seen.rows, seen.filters) == (4, "search, status=enrolled")


def test_everybody_in_it_is_changed_and_nobody_else(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3", active=True)
    enroll(campus, "S-4", status="pending")
    stranger = make_campus("uni-b")
    enroll(stranger, "B-1")

    page = preview(registrar, campus, query="status=enrolled", cascade="on")
    done = confirm(registrar, campus, page)

    assert done.messages() == ["3 learners were changed."]
    assert statuses() == {
        "S-1": "suspended",
        "S-2": "suspended",
        "S-3": "suspended",
        "S-4": "pending",
        "B-1": "enrolled",
    }
    assert set(PreemptiveCourseEnrollment.objects.values_list("status", flat=True)) == {"inactive"}
    assert LedgerEntry.objects.filter(reason="The term is over", kind="program_enrollment").count() == 3


@pytest.mark.parametrize("change", ["one more", "another status", "one less", "another target"])
def test_if_the_list_has_changed_it_is_shown_again(registrar: Desk, campus: Campus, change: str) -> None:
    enroll(campus, "S-1", "S-2", "S-3")
    page = preview(registrar, campus, query="q=S-")
    more = {}
    if change == "one more":
        enroll(campus, "S-4")
    elif change == "another status":
        enroll(campus, "S-2", status="ended")
    elif change == "one less":
        PreemptiveProgramEnrollment.objects.filter(learner__student_key="S-1").delete()
    else:
        more = {"status": "canceled"}
    before = statuses()

    again = confirm(registrar, campus, page, **more)

    assert again.status == 409
    assert "The list has changed since you looked at it. Nothing was changed." in again.text
    assert statuses() == before
    # The new preview can be confirmed.
    confirm(registrar, campus, again)
    assert set(statuses().values()) == {more.get("status", "suspended")}


def test_without_a_reason_nothing_is_done(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3")

    page = confirm(registrar, campus, preview(registrar, campus), reason=" ")

    assert page.errors() == ["This field is required."]
    assert set(statuses().values()) == {"enrolled"}


def test_without_a_preview_nothing_is_done(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3")

    page = preview(registrar, campus, confirm="1", reason="In a hurry")

    assert page.status == 409
    assert set(statuses().values()) == {"enrolled"}


def test_no_filter_is_everybody_and_says_so(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3")

    assert "No filter is set: this is everybody in the list." in preview(registrar, campus).text


def test_a_list_that_is_too_long_is_refused(registrar: Desk, campus: Campus, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_ROWS": 2}
    enroll(campus, "S-1", "S-2")
    enroll(campus, "S-3")

    page = preview(registrar, campus)

    assert page.messages()[0].startswith("The filters find more than 2 learners, which is too many for one change.")
    assert preview(registrar, campus, query="q=S-3").status == 200


@pytest.mark.parametrize("query", ["status=nonsense", "since=yesterday", "state=nowhere"])
def test_filters_that_cannot_be_read_change_nobody(registrar: Desk, campus: Campus, query: str) -> None:
    enroll(campus, "S-1")

    page = preview(registrar, campus, query=query)

    assert page.messages() == ["Look at the filters, and choose a status."]


def test_a_roster_has_it_too(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3", active=True)
    place = (campus.program.uuid, campus.course_run.course_id)
    assert registrar.open("roster", *place).tree.xpath(BUTTON)

    page = registrar.send("course-status", *place, everybody="1", filter="state=waiting", status="inactive")
    form = page.tree.xpath('//form[.//button[@name="confirm"]]')[0]
    sent = {one.get("name"): one.get("value") for one in form.xpath('.//input[@type="hidden"]')}
    done = registrar.send("course-status", *place, **sent, confirm="1", reason="Room is flooded")

    assert done.messages() == ["3 learners were changed."]
    assert set(PreemptiveCourseEnrollment.objects.values_list("status", flat=True)) == {"inactive"}


def test_who_only_reads_cannot(holding: Callable[..., Desk], campus: Campus) -> None:
    enroll(campus, "S-1")

    assert preview(holding(Permission.READ_ENROLLMENTS), campus).status == 403


def test_a_long_preview_shows_what_matters_first(registrar: Desk, campus: Campus) -> None:
    enroll(campus, *(f"S-{number}" for number in range(205)), status="ended")
    enroll(campus, "T-1")

    page = preview(registrar, campus, status="ended")

    assert len(page.rows()) == 200
    assert page.rows()[0] == "T-1 enrolled → ended"
    assert "6 more learners are not shown here." in page.text


@pytest.mark.parametrize("size", [3, 60])
def test_a_preview_costs_the_same_for_many(registrar: Desk, campus: Campus, size: int) -> None:
    enroll(campus, *(f"S-{number}" for number in range(size)))
    learner = LinkedLearnerFactory(school=campus.school)
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    registrar.open("home")

    with CaptureQueriesContext(connection) as context:
        page = preview(registrar, campus)

    assert len(page.rows()) == size + 1
    assert len(context.captured_queries) < 32
