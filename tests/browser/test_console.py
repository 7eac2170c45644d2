"""The console in Chromium: every page light, dark and on a phone, by axe-core, and a registrar's story.

One browser and one sign-in for all pages: what a page needs is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from program_enrollments import api
from program_enrollments.data import CourseEnrollmentRequest, Origin, Permission, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import GradeFreeze, Learner, PreemptiveProgramEnrollment, School
from tests.browser.test_sign_on import click, complaints, fill, wait_for
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    GrantFactory,
    IdentityProviderFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    SchoolFactory,
)
from tests.factories.host import CourseGradeFactory, UserFactory
from tests.rest_api.callers import Campus

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then((found) => done(found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", "))));
"""
FOCUSED = """
const all = [...document.querySelectorAll("a[href], button, input, select, textarea")].filter(
  (one) => one.type !== "hidden" && !one.disabled && one.offsetParent !== null);
return all.filter((one) => one.tabIndex > 0).length;
"""
WIDE, PHONE = 1280, 320
MODES = [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")]
ORIGIN = Origin(source=Source.API.value, reason="Start of term")


@pytest.fixture
def campus(transactional_db: None) -> Campus:
    """A school with a brand, and a program with learners of every kind."""
    school: School = SchoolFactory(
        key="uni-a",
        name="University A",
        primary_color="#ffd54a",
        support_email="registrar@uni-a.example",
        welcome_text="Welcome to the winter term.",
    )
    IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school, program__title="Master of Computer Science")
    campus = Campus(curriculum, CourseRunFactory(title="Algorithms", curricula=[curriculum]))
    keys = [f"A-{number}" for number in range(5001, 5021)]
    api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest(key, key, "", "enrolled") for key in keys],
        verb=Verb.CREATE,
        origin=ORIGIN,
    )
    api.write_course_enrollments(
        program=campus.program,
        course_run=campus.course_run,
        rows=[CourseEnrollmentRequest(key, key, "", "active") for key in keys],
        verb=Verb.CREATE,
        origin=ORIGIN,
    )
    learners = [LinkedLearnerFactory(school=school, student_key=f"A-100{number}") for number in range(3)]
    for learner in learners:
        ProgramEnrollmentFactory(curriculum=curriculum, learner=learner)
        ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
        CourseGradeFactory(user=learner.user, course_run_id=campus.course_run.course_id)
    PreemptiveCourseEnrollmentFactory(
        program=campus.program,
        learner=learners[-1],
        problem_code="host_refused",
        problem_detail="No such run.",
        refusals=5,
    )
    Learner.objects.filter(student_key="A-1000").update(problem_code="conflict", problem_detail="Two accounts.")
    return campus


@pytest.fixture
def registrar(browser: Chrome, live_server: LiveServer, campus: Campus) -> Callable[[str], None]:
    """A registrar who has signed in; opens a page by its path below the console."""
    user = UserFactory(username="avery")
    for permission in Permission:
        GrantFactory(user=user, school=campus.school, permission=permission)
    browser.get(f"{live_server.url}/console/")
    fill(browser, username="avery", password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Master of Computer Science")
    return lambda path: browser.get(f"{live_server.url}/console/{path}")


def show(browser: Chrome, *, width: int, scheme: str) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def pages_of(campus: Campus) -> dict[str, str]:
    program = f"programs/{campus.program.uuid}/"
    course, school = f"{program}courses/{campus.course_run.course_id}/", f"schools/{campus.school.key}/"
    waiting, refused = (Learner.objects.get(student_key=key).pk for key in ("A-5001", "A-1002"))
    return {
        "home": "",
        "learners": f"{program}learners/",
        "no-learner": f"{program}learners/?q=nobody",
        "wrong-filter": f"{program}learners/?status=nobody",
        "add": f"{program}learners/add/",
        "waiting-learner": f"{program}learners/{waiting}/",
        "refused-learner": f"{program}learners/{refused}/",
        "courses": f"{program}courses/",
        "roster": f"{course}learners/",
        "add-to-course": f"{course}learners/add/",
        "grades": f"{program}grades/",
        "course-grades": f"{course}grades/",
        "all-grades": f"{course}grades/all/",
        "attendance": f"{program}attendance/",
        "course-attendance": f"{course}attendance/",
        "changes": f"{program}changes/",
        "student-ids": f"{school}student-keys/",
        "brand": f"{school}brand/",
        "sign-in": f"{school}sign-in/",
        "ask-for-metadata": f"{school}sign-in/ask/",
        "people": f"{school}people/",
        "who-looked": f"{school}disclosures/",
        "nothing-here": "nowhere/",
    }


def wait_until_gone(browser: Chrome, text: str) -> None:
    """Wait until the page does not have this text any more."""
    WebDriverWait(browser, 30).until(lambda driver: text not in driver.find_element(By.TAG_NAME, "body").text)


def test_every_page_can_be_used_by_everybody(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus, screenshot: Callable[[str], None]
) -> None:
    """No serious finding of axe-core, nothing to scroll sideways to, and the tab order is that of the page."""
    api.freeze_grades(program=campus.program, course_run=campus.course_run, origin=ORIGIN)
    found: dict[str, Any] = {}
    for name, path in pages_of(campus).items():
        for width, scheme in MODES:
            show(browser, width=width, scheme=scheme)
            registrar(path)
            browser.execute_script(AXE)
            where = f"{name}, {width} px, {scheme}"
            if violations := browser.execute_async_script(RUN_AXE):
                found[where] = violations
            sideways = browser.execute_script(
                "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if sideways > 0:
                found[f"{where}, sideways"] = sideways
            if browser.execute_script(FOCUSED):
                found[f"{where}, tab order"] = "changed by tabindex"
            if scheme == "light":
                screenshot(f"console-{name}-{width}")
    assert found == {}
    assert [one for one in complaints(browser) if "404" not in one and "400" not in one] == []


def test_a_registrar_enrolls_three_students_and_freezes_grades(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus
) -> None:
    show(browser, width=WIDE, scheme="light")
    registrar("")
    click(browser, "Master of Computer Science")
    wait_for(browser, "Add learners")
    click(browser, "Add learners")
    fill(browser, lines="A-6001\nA-6002, new@uni-a.example\nA-5001\nA-6003")
    click(browser, "Preview")
    wait_for(browser, "3 learners would be changed. 1 line would be refused")
    assert not PreemptiveProgramEnrollment.objects.filter(learner__student_key="A-6001").exists()
    fill(browser, reason="Late admission")
    click(browser, "Add 3 learners")
    wait_for(browser, "3 learners were changed. 1 was refused.")

    browser.find_element(By.TAG_NAME, "body").send_keys("/")
    browser.switch_to.active_element.send_keys("A-600")
    wait_for(browser, "A-6003")
    browser.implicitly_wait(0)
    wait_until_gone(browser, "A-5002")
    browser.implicitly_wait(30)
    assert "q=A-600" in browser.current_url, "what is searched stands in the address"
    browser.find_element(By.CSS_SELECTOR, "[data-choose-all]").send_keys(Keys.SPACE)
    wait_for(browser, "3 chosen")
    browser.find_element(By.XPATH, '//select[@id="pe-new-status"]/option[@value="pending"]').click()
    click(browser, "Preview the change")
    wait_for(browser, "enrolled → pending")
    fill(browser, reason="Documents are missing")
    click(browser, "Change 3 learners")
    wait_for(browser, "3 learners were changed.")
    assert PreemptiveProgramEnrollment.objects.filter(status="pending").count() == 3

    click(browser, "Grades")
    wait_for(browser, "not frozen")
    click(browser, "Algorithms")
    wait_for(browser, "ready to be frozen")
    fill(browser, reason="End of term")
    click(browser, "Freeze")
    wait_for(browser, "The grades are frozen as version 1.")
    assert GradeFreeze.objects.get().reason == "End of term"
    assert complaints(browser) == []


def test_without_scripts_lists_are_searched_all_the_same(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus
) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    registrar(f"programs/{campus.program.uuid}/learners/")
    fill(browser, q="A-5003")
    click(browser, "Show")

    wait_for(browser, "A-5003")
    assert "A-5004" not in browser.page_source
    assert not browser.find_element(By.CSS_SELECTOR, "[data-print]").is_displayed()
