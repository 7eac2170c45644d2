"""Signing in as people do it, in Chromium: cookies, policies and scripts are the browser's own.

The LMS is on localhost, the university on 127.0.0.1: to a browser these are two sites, as in real life.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer
from selenium.common.exceptions import JavascriptException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from demo_lms.idp.people import PASSWORD
from demo_lms.idp.running import RunningProviders
from program_enrollments.models import CourseRun, IdentityProvider, ProgramCourseEnrollment, SamlConfiguration, School
from program_enrollments.saml.identities import UID
from tests.factories.enrollment import SchoolFactory
from tests.factories.host import ConfirmedUserFactory, SuperuserFactory
from tests.flows.browsing import Browser

# What these add is the browser's part. The same sign-ins are made on every database in tests/flows, without a browser.
pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

Screenshot = Callable[[str], None]
SECONDS = 60


def heading(browser: Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "h1").text


def wait_for(browser: Chrome, text: str) -> None:
    """Wait until the page has this text; pages on the way may go while they are looked at."""
    # In one step: an element that was found can belong to a page that has gone until its text is asked for.
    script = "return document.body ? document.body.innerText : ''"
    WebDriverWait(browser, SECONDS, ignored_exceptions=[JavascriptException]).until(
        lambda driver: text in driver.execute_script(script)
    )


def click(browser: Chrome, text: str) -> None:
    xpath = f'//a[contains(normalize-space(), "{text}")] | //button[contains(normalize-space(), "{text}")]'
    browser.find_element(By.XPATH, xpath).click()


def fill(browser: Chrome, **fields: str) -> None:
    for name, value in fields.items():
        field = browser.find_element(By.NAME, name)
        field.clear()
        field.send_keys(value)


def sign_in_at_the_university(browser: Chrome, username: str = "student1") -> None:
    wait_for(browser, "This is a demo.")
    fill(browser, username=username, password=PASSWORD)
    click(browser, "Sign in")


def complaints(browser: Chrome) -> list[str]:
    """Return what the browser has refused to do or load."""
    entries: list[dict[str, Any]] = browser.get_log("browser")
    return [entry["message"] for entry in entries if "favicon" not in entry["message"]]


def test_a_student_signs_in(
    browser: Chrome, live_server: LiveServer, course_run: CourseRun, screenshot: Screenshot
) -> None:
    School.objects.filter(key="uni-a").update(primary_color="#7a1f2b", text_color="#ffffff")
    browser.get(f"{live_server.url}/sso/")
    screenshot("1-universities")
    click(browser, "University A")
    assert heading(browser) == "Sign in with University A"
    screenshot("2-school")
    click(browser, "Sign in with University A")
    wait_for(browser, "This is a demo.")
    screenshot("3-at-the-university")

    sign_in_at_the_university(browser)

    wait_for(browser, "My programs")
    screenshot("4-first-page")
    assert browser.current_url == f"{live_server.url}/dashboard/"
    assert "Algorithms" in browser.page_source
    assert ProgramCourseEnrollment.objects.get().course_run == course_run
    assert complaints(browser) == [], "the strict policies let through what the pages need"


def test_two_tabs_each_end_where_they_wanted(browser: Chrome, live_server: LiveServer, school: School) -> None:
    addresses = [f"{live_server.url}/sso/start/uni-a/?next={path}" for path in ("/accounts/email/", "/dashboard/")]
    browser.get(addresses[0])
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(addresses[1])

    sign_in_at_the_university(browser)
    wait_for(browser, "My programs")
    browser.switch_to.window(first)
    sign_in_at_the_university(browser)
    wait_for(browser, "E-mail address")

    assert browser.current_url == f"{live_server.url}/accounts/email/"


def test_going_back_does_not_sign_on_twice(
    browser: Chrome, live_server: LiveServer, school: School, screenshot: Screenshot
) -> None:
    """What was posted once is refused the second time, on a page that leads on."""
    encoded: dict[str, str] = {}
    walker = Browser().open(f"{live_server.url}/sso/start/uni-a/")
    walker.submit(username="student1", password=PASSWORD)
    encoded = dict(walker.page.forms[0].form_values())
    walker.submit().submit()
    assert walker.url.endswith("/dashboard/")

    browser.get(f"{live_server.url}/sso/")
    browser.execute_script(
        "const form = document.createElement('form'); form.method = 'post'; form.action = '/sso/acs/';"
        "for (const [name, value] of Object.entries(arguments[0])) {"
        "const field = document.createElement('input'); field.name = name; field.value = value; form.append(field); }"
        "document.body.append(form); form.submit();",
        encoded,
    )

    wait_for(browser, "You could not be signed in")
    screenshot("5-refused")
    assert "Reference number" in browser.page_source


def test_without_scripts_a_button_leads_on(browser: Chrome, live_server: LiveServer, school: School) -> None:
    browser.get(f"{live_server.url}/sso/start/uni-a/")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})

    sign_in_at_the_university(browser)
    click(browser, "Continue")
    wait_for(browser, "Signing you in")
    click(browser, "Continue")

    wait_for(browser, "My programs")


def test_somebody_connects_an_account(
    browser: Chrome, live_server: LiveServer, school: School, screenshot: Screenshot
) -> None:
    ConfirmedUserFactory(username="sasha", email="student1@uni-a.example")
    browser.get(f"{live_server.url}/sso/start/uni-a/")
    sign_in_at_the_university(browser)
    wait_for(browser, "You may already have an account")
    screenshot("6-offered")

    click(browser, "Sign in to my existing account")
    fill(browser, username="sasha", password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Connect University A to sasha")
    screenshot("7-both-proved")
    click(browser, "Connect University A to sasha")
    wait_for(browser, "Your account is connected")
    screenshot("7-connected")
    click(browser, "Continue")

    wait_for(browser, "My programs")
    assert User.objects.get(username="sasha").social_auth.get().uid == "uni-a:student1"
    assert complaints(browser) == []


def test_support_staff_add_a_university(
    browser: Chrome, live_server: LiveServer, universities: RunningProviders, school: School, screenshot: Screenshot
) -> None:
    SuperuserFactory(username="support")
    SchoolFactory(key="uni-c", name="University C", primary_color="#ffd54a", text_color="#ffffff")
    xml = Browser().open(f"{universities.base_url}/uni-c/metadata").response.text
    browser.get(f"{live_server.url}/admin/university_enrollments/identityprovider/import-metadata/")
    fill(browser, username="support", password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Add an identity provider by its metadata")
    screenshot("8-add-by-metadata")

    browser.find_element(By.XPATH, '//select[@name="school"]/option[contains(., "University C")]').click()
    fill(browser, slug="uni-c", id_attribute=UID)
    browser.execute_script("document.getElementsByName('metadata')[0].value = arguments[0]", xml)
    browser.find_element(By.NAME, "show").click()
    wait_for(browser, "These are the contents of the metadata.")
    screenshot("9-what-it-says")
    browser.find_element(By.NAME, "save").click()
    wait_for(browser, "counts at once")
    screenshot("10-provider")
    assert IdentityProvider.objects.get(slug="uni-c").saml.is_test_only

    browser.get(f"{live_server.url}/sso/start/uni-c/")
    sign_in_at_the_university(browser)
    wait_for(browser, "Test sign-on of University C")
    screenshot("11-test-sign-on")

    SamlConfiguration.objects.update(is_test_only=False)
    browser.get(f"{live_server.url}/sso/schools/uni-c/")
    screenshot("12-readable-on-any-color")
    browser.set_window_size(400, 800)
    screenshot("13-on-a-phone")
    browser.get(f"{live_server.url}/sso/start/uni-c/")
    sign_in_at_the_university(browser)
    wait_for(browser, "My programs")
    assert User.objects.get(social_auth__uid="uni-c:student1").username == "student1"
