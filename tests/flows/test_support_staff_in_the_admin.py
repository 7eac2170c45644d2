"""Support staff find people in Django admin and put things right there, with the forms and links of its pages."""

from __future__ import annotations

import re
from collections import deque
from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments.models import CourseRun, Learner, LedgerEntry, PreemptiveProgramEnrollment, Program
from tests.factories.accounts import username_of
from tests.factories.host import SuperuserFactory
from tests.flows.browsing import Browser
from tests.flows.people import Student, University

ADMIN = "/admin/university_enrollments/"
LOCALIZED = re.compile(r"(?<![\w.,])\d{1,3}([.,\u00a0\u202f]\d{3})+(?![\w.,])")
"""A number of more than three digits as people read it, and no program."""
ATTRIBUTES = ("href", "action", "value")
"""Where a page has what a browser sends back."""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def uni_a(transactional_db: None) -> University:
    return University("uni-a", lambda **_options: nullcontext())


@pytest.fixture
def program(uni_a: University) -> Program:
    """A program with a student who has signed on, and two who have not yet."""
    program = uni_a.open_program()
    run = uni_a.open_course(program)
    keys = ("S-1", "S-2", "S-3")
    uni_a.enroll(program, *[{"student_key": key, "status": "enrolled"} for key in keys])
    uni_a.enroll(program, *[{"student_key": key, "status": "active", "course_staff": True} for key in keys], run=run)
    Student(uni_a.on_commit).sign_on("S-1")
    return program


@pytest.fixture
def staff(live_server: LiveServer, program: Program) -> Browser:
    SuperuserFactory(username="support")
    browser = Browser().open(f"{live_server.url}/admin/")
    return browser.submit(username=username_of("support"), password="password")


def choose(staff: Browser, action: str, *keys: str) -> Browser:
    """Tick the rows of these students in the list at hand, and choose an action."""
    (form,) = [form for form in staff.page.forms if form.get("id") == "changelist-form"]
    rows = [row for row in form.xpath(".//tbody/tr") if {cell.text_content().strip() for cell in row} & {*keys}]
    assert len(rows) == len(keys)
    ticked = [str(row.xpath('.//input[@name="_selected_action"]')[0].get("value")) for row in rows]
    return staff.submit(button="index", action=action, _selected_action=ticked)


def test_a_status_is_changed_in_a_filtered_list(staff: Browser, program: Program, uni_a: University) -> None:
    staff.open(f"{ADMIN}preemptiveprogramenrollment/").follow(uni_a.school.name).follow(program.title)
    choose(staff, "change_status", "S-2", "S-3")
    staff.submit(button="apply", status="suspended", reason="Asked by the school")

    assert "The status of 2 enrollments changed." in staff.text
    assert set(PreemptiveProgramEnrollment.objects.values_list("status", flat=True)) == {"suspended"}
    assert {row["status"] for row in uni_a.students(program).values()} == {"enrolled", "suspended"}


def test_a_status_is_changed_on_the_enrollments_own_page(staff: Browser, program: Program) -> None:
    staff.open(f"{ADMIN}programcourseenrollment/")
    (page,) = staff.page.xpath('//table[@id="result_list"]//th[contains(@class, "field-")]/a/@href')
    staff.open(page).submit(action="change_status")
    staff.submit(button="apply", status="inactive", reason="Asked by the school")

    assert "The status of 1 enrollment changed." in staff.text
    assert not rows_of(CourseEnrollment).get().is_active


def test_a_learner_is_found_by_account_and_linked_to_another(staff: Browser, program: Program) -> None:
    learner = Learner.objects.exclude(user=None).get()
    account: Any = learner.user
    staff.open(f"{ADMIN}learner/").submit(q=str(account.get_username())).follow("S-1")
    assert str(account.get_username()) in staff.text
    staff.follow("Unlink").submit(reason="Not theirs")
    assert not Learner.objects.exclude(user=None).exists()

    staff.open(f"{ADMIN}learner/{learner.pk}/change/").follow("Link").submit(account=f"#{account.pk}", reason="Theirs")

    learner.refresh_from_db()
    assert learner.user == account
    assert LedgerEntry.objects.filter(learner=learner, source="staff").count() >= 2


def test_a_grant_is_given_and_found(staff: Browser, program: Program, uni_a: University) -> None:
    client = SuperuserFactory(username="client")
    staff.open(f"{ADMIN}grant/add/")
    staff.submit(user=str(client.pk), school=str(uni_a.school.pk), permission="read_enrollments", button="_save")
    staff.open(f"{ADMIN}grant/").submit(q=username_of("client"))
    assert username_of("client") in staff.text
    assert "read_enrollments" in staff.response.text


def test_every_page_that_a_link_leads_to_is_there(
    staff: Browser, program: Program, uni_a: University, live_server: LiveServer
) -> None:
    run = CourseRun.objects.get()
    path = f"programs/{program.uuid}/courses/{run.course_id}/grades/"
    assert uni_a.sis.post(f"{path}freeze/", {"reason": "Board of examiners"}).status_code == 201
    root = f"{live_server.url}{ADMIN}"
    waiting, seen = deque([root]), {kind_of(root)}
    while waiting:
        url = waiting.popleft()
        staff.open(url)
        assert staff.response.status_code == 200, url
        attributes = [value for name in ATTRIBUTES for value in staff.page.xpath(f"//@{name}")]
        assert [value for value in attributes if LOCALIZED.search(value)] == [], url
        for link in staff.page.xpath("//a/@href"):
            linked = urljoin(url, link)
            if linked.startswith(root) and (kind := kind_of(linked)) not in seen:
                seen.add(kind)
                waiting.append(linked)
    assert len(seen) > 50


def kind_of(url: str) -> tuple[str, str]:
    """Return what pages have in common that show another row, or filter by another value or by more."""
    parts = urlsplit(url)
    names = [name for name, _value in parse_qsl(parts.query) if name != "_changelist_filters"]
    return (re.sub(r"\d+", "0", parts.path), min(names, default=""))
