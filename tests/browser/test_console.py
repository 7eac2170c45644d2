"""The console in Chromium: every page light, dark and on a phone, by axe-core, and a registrar's story.

One browser and one sign-in for all pages: what a page needs is made once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from selenium.common.exceptions import JavascriptException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from program_enrollments import api
from program_enrollments.data import (
    CourseEnrollmentRequest,
    JobMode,
    Origin,
    Permission,
    ProgramEnrollmentRequest,
    Source,
    Verb,
)
from program_enrollments.models import GradeFreeze, Job, Learner, PreemptiveProgramEnrollment, School
from tests.browser.accessibility import (
    PHONE,
    PHONE_SCREEN,
    WIDE,
    WIDE_SCREEN,
    each_mode,
    find_barriers,
    find_lost_focus,
    show,
)
from tests.browser.test_sign_on import click, complaints, fill, wait_for
from tests.console.conftest import keep_file
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
def files(campus: Campus, settings: Settings, tmp_path: Path) -> dict[str, int]:
    """Files in every state, by what is special about each."""
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        },
    }
    lines = "".join(f"A-{number},enrolled\n" for number in range(5001, 5006))
    mistakes = (
        "student_key,status,email,term\nA-5001,enroled,,1\nA-5002,ended,,1\n,enrolled,nobody,1\nA-7001,enrolled,,1\n"
    )
    sent = {
        "result": keep_file(campus, f"{mistakes}A-7002,enrolled\n").pk,
        "failed": keep_file(campus, 'student_key,status\n"A-1,enrolled\n').pk,
        "preview": keep_file(campus, f"{mistakes}A-7003,enrolled,,1\n", dry_run=True).pk,
        "preview-over-the-guard": keep_file(
            campus, f"student_key,status\n{lines}", mode=JobMode.SNAPSHOT, dry_run=True
        ).pk,
        "held": keep_file(campus, f"student_key,status\n{lines}", mode=JobMode.SNAPSHOT).pk,
    }
    running, waiting = (keep_file(campus, "student_key,status\nA-7001,enrolled\n").pk for _ in range(2))
    # States that pass too quickly to be looked at.
    Job.objects.filter(pk=waiting).update(
        state="waiting", dry_run=True, next_try=timezone.now(), waiting_since=timezone.now()
    )
    Job.objects.filter(pk=running).update(state="running", total=8_000, done=3_210)
    return {**sent, "running": running, "waiting": waiting}


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


def pages_of(campus: Campus, files: dict[str, int]) -> dict[str, str]:
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
        "files": f"{program}files/",
        "no-file": f"{program}files/?state=superseded",
        "send-file": f"{program}files/send/",
        **{f"file-{name}": f"{program}files/{number}/" for name, number in files.items()},
        "file-filtered": f"{program}files/{files['result']}/?word=invalid-status",
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
    script = "return document.body ? document.body.innerText : arguments[0]"
    WebDriverWait(browser, 30, ignored_exceptions=[JavascriptException]).until(
        lambda driver: text not in driver.execute_script(script, text)
    )


def test_every_page_can_be_used_by_everybody(
    browser: Chrome,
    registrar: Callable[[str], None],
    campus: Campus,
    files: dict[str, int],
    screenshot: Callable[[str], None],
) -> None:
    """No serious finding of axe-core, nothing to scroll sideways to, and the tab order is that of the page."""
    api.freeze_grades(program=campus.program, course_run=campus.course_run, origin=ORIGIN)
    found: dict[str, Any] = {}
    for name, path in pages_of(campus, files).items():
        for mode in each_mode(browser, lambda path=path: registrar(path)):  # type: ignore[misc]
            found |= find_barriers(browser, where=name, mode=mode)
            screenshot(f"console-{name}-{mode.width}-{mode.scheme}-{mode.media}")
    assert found == {}
    assert [one for one in complaints(browser) if "404" not in one and "400" not in one] == []


def test_pages_can_be_read_from_right_to_left(
    browser: Chrome, settings: Settings, campus: Campus, files: dict[str, int], request: pytest.FixtureRequest
) -> None:
    settings.LANGUAGES, settings.LANGUAGE_CODE = [("ar", "Arabic")], "ar"
    registrar: Callable[[str], None] = request.getfixturevalue("registrar")
    pages, found = pages_of(campus, files), dict[str, Any]()
    for name in ("home", "learners", "refused-learner", "file-held", "changes"):
        for mode in each_mode(browser, lambda name=name: registrar(pages[name]), [WIDE_SCREEN, PHONE_SCREEN]):  # type: ignore[misc]
            found |= find_barriers(browser, where=f"{name}-rtl", mode=mode)

    assert browser.find_element(By.TAG_NAME, "html").get_attribute("dir") == "rtl"
    assert found == {}
    registrar(pages["home"])
    chart = browser.find_element(By.CLASS_NAME, "pe-spark")
    assert chart.value_of_css_property("transform") == "matrix(-1, 0, 0, 1, 0, 0)", "weeks pass as people read"


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


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_what_has_the_focus_is_seen(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus, width: int
) -> None:
    """Also in a low window, where the navigation is longer than the screen."""
    show(browser, width=width, scheme="light")
    metrics = {"width": width, "height": 420, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    registrar(f"programs/{campus.program.uuid}/learners/")

    assert find_lost_focus(browser, stops=45) == []


def test_a_list_that_is_loaded_anew_says_how_long_it_is(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus
) -> None:
    registrar(f"programs/{campus.program.uuid}/learners/")
    browser.find_element(By.CSS_SELECTOR, "[data-search]").send_keys("A-500")
    said = 'return document.querySelector("[data-said]").textContent'
    WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(said) == "Rows shown: 9")
    browser.find_element(By.CSS_SELECTOR, "[data-search]").send_keys("nobody")
    WebDriverWait(browser, 30).until(lambda driver: driver.execute_script(said) == "Nothing fits.")


def test_the_shortcut_can_be_switched_off(browser: Chrome, registrar: Callable[[str], None], campus: Campus) -> None:
    focused = "return document.activeElement.name"
    registrar(f"programs/{campus.program.uuid}/learners/")
    switch = browser.find_element(By.CSS_SELECTOR, "[data-shortcut]")
    switch.click()
    assert switch.get_attribute("aria-pressed") == "false"
    browser.refresh()
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys("/")
    assert browser.execute_script(focused) != "q"
    browser.find_element(By.CSS_SELECTOR, "[data-shortcut]").click()
    body.send_keys("/")
    assert browser.execute_script(focused) == "q"


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
