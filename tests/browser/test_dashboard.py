"""The dashboard in Chromium: every page light, dark, on a phone and printed, by axe-core, and learners' stories."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from program_enrollments.data import LinkHow, ProgramStatus
from program_enrollments.models import CourseRun, LinkClaim, ProgramEnrollment, School
from tests.browser.accessibility import (
    MODES,
    PHONE_SCREEN,
    WIDE,
    WIDE_SCREEN,
    Mode,
    each_mode,
    find_barriers,
    show,
)
from tests.browser.conftest import keep_screenshot
from tests.browser.test_sign_on import click, complaints, fill, wait_for
from tests.dashboard.conftest import enroll, learn, open_program
from tests.factories.enrollment import LinkedLearnerFactory, SchoolFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def school(transactional_db: None) -> School:
    school: School = SchoolFactory(
        key="uni-a",
        name="University A",
        primary_color="#7a1f2b",
        support_name="Student Services",
        support_email="help@uni-a.example",
        welcome_text="Welcome to the winter term.",
        documents="Examination rules | https://uni.example/rules",
    )
    return school


def sign_in(browser: Chrome, live_server: LiveServer, user: Any) -> None:
    browser.get(f"{live_server.url}/accounts/sign-in/")
    fill(browser, username=user.get_username(), password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Sign out")


def inspect(browser: Chrome, url: str, name: str, found: dict[str, Any], modes: Iterable[Mode] = MODES) -> None:
    """Look at a page in every mode; `found` gets what is wrong."""
    for mode in each_mode(browser, lambda: browser.get(url), modes):
        found |= find_barriers(browser, where=name, mode=mode)
        keep_screenshot(browser, f"dashboard-{name}-{mode.width}-{mode.scheme}-{mode.media}")


def test_every_page_can_be_used_by_everybody(browser: Chrome, live_server: LiveServer, school: School) -> None:
    """No serious finding of axe-core, nothing to scroll sideways to, and the tab order is that of the page."""
    user = ConfirmedUserFactory(first_name="Alex", last_name="Example")
    other = SchoolFactory(name="University B", primary_color="#ffd54a")
    first = open_program(school)
    enroll(user, first, refused=True)
    learn(user, first)
    suspended = open_program(school, title="Master of Data Science")
    enroll(user, suspended, status=ProgramStatus.SUSPENDED)
    pending = open_program(other, title="Master of Business Administration")
    enroll(user, pending, status=ProgramStatus.PENDING)
    ended = open_program(other, title="Master of Public Health")
    enroll(user, ended, status=ProgramStatus.ENDED)
    held = LinkedLearnerFactory(school=SchoolFactory(name="University C"))
    LinkClaim.objects.create(learner=held, user=user, how=LinkHow.EMAIL, at=timezone.now())
    newcomer = UserFactory(email="new@uni-a.example")
    sign_in(browser, live_server, user)
    root = f"{live_server.url}/programs/"
    found: dict[str, Any] = {}

    inspect(browser, root, "home", found)
    inspect(browser, f"{root}{first.uuid}/", "program", found)
    inspect(browser, f"{root}{suspended.uuid}/", "suspended", found)
    inspect(browser, f"{root}{ended.uuid}/", "ended", found)
    inspect(browser, f"{root}my-data/", "my-data", found)
    inspect(browser, f"{root}nowhere/", "nothing-here", found)
    inspect(browser, f"{root}confirmations/", "check", found)
    inspect(browser, f"{live_server.url}/dashboard/", "embedded", found, modes=[WIDE_SCREEN, PHONE_SCREEN])
    browser.delete_all_cookies()
    sign_in(browser, live_server, newcomer)
    inspect(browser, root, "nobody-knows", found)

    assert found == {}
    assert [one for one in complaints(browser) if "404" not in one] == []


def test_a_student_is_suspended_comes_back_and_finishes(
    browser: Chrome, live_server: LiveServer, school: School, screenshot: Callable[[str], None]
) -> None:
    user = ConfirmedUserFactory()
    program = open_program(school)
    enroll(user, program)
    learn(user, program)
    sign_in(browser, live_server, user)
    show(browser, width=WIDE, scheme="light")
    home = f"{live_server.url}/programs/"
    place = ProgramEnrollment.objects.filter(program=program)

    browser.get(home)
    wait_for(browser, "1 of 4 courses done")
    wait_for(browser, "You have been enrolled since")
    click(browser, "Continue “Algorithms”")
    wait_for(browser, "4 of 10 units done")

    place.update(status=ProgramStatus.SUSPENDED)
    browser.get(home)
    wait_for(browser, "Your place has been suspended since")
    wait_for(browser, "Ask Advisor Ada.")
    assert "Continue" not in browser.find_element(By.TAG_NAME, "main").text

    place.update(status=ProgramStatus.ENROLLED)
    browser.get(home)
    wait_for(browser, "Continue “Algorithms”")

    CourseRun.objects.update(end=timezone.now() - timedelta(days=1), start=timezone.now() - timedelta(days=100))
    place.update(status=ProgramStatus.ENDED)
    browser.get(home)
    wait_for(browser, "This program ended for you on")
    wait_for(browser, "3 of 3 courses done")
    assert complaints(browser) == []


def test_a_host_embeds_the_dashboard_in_its_own_theme(
    browser: Chrome, live_server: LiveServer, school: School, screenshot: Callable[[str], None]
) -> None:
    """The demo's page has rules for links and headings of its own: they stay, and buttons can be read all the same."""
    user = ConfirmedUserFactory()
    program = open_program(school)
    enroll(user, program)
    sign_in(browser, live_server, user)
    show(browser, width=WIDE, scheme="dark")
    browser.get(f"{live_server.url}/accounts/email/")
    script = """
    const style = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
    return [style("body", "backgroundColor"), style("body", "fontSize"), style("h1", "fontSize"),
            style("header.site a", "color")];
    """
    before = browser.execute_script(script)

    browser.get(f"{live_server.url}/dashboard/")
    wait_for(browser, "Continue “Algorithms”")

    assert browser.execute_script(script) == before, "nothing of the fragment reaches the host's page"
    button = browser.find_element(By.CSS_SELECTOR, ".pe-embedded .pe-button")
    label = button.find_element(By.TAG_NAME, "span")
    assert button.value_of_css_property("background-color") == "rgba(122, 31, 43, 1)", "the school's color"
    assert label.value_of_css_property("color") == "rgba(255, 255, 255, 1)", "which the host's links don't have"
    assert complaints(browser) == []


def test_pages_can_be_read_from_right_to_left(
    browser: Chrome, live_server: LiveServer, school: School, settings: Any
) -> None:
    settings.LANGUAGES, settings.LANGUAGE_CODE = [("ar", "Arabic")], "ar"
    user = ConfirmedUserFactory(first_name="Alex", last_name="Example")
    program = open_program(school)
    enroll(user, program, refused=True)
    learn(user, program)
    found: dict[str, Any] = {}
    browser.get(f"{live_server.url}/accounts/sign-in/")
    fill(browser, username=user.get_username(), password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Algorithms")

    inspect(
        browser, f"{live_server.url}/programs/{program.uuid}/", "program-rtl", found, modes=[WIDE_SCREEN, PHONE_SCREEN]
    )

    assert browser.find_element(By.TAG_NAME, "html").get_attribute("dir") == "rtl"
    assert found == {}
