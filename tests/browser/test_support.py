"""Sign-on and support in Chromium: pages that everybody can use, and a place that two accounts want."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from demo_lms.idp.running import RunningProviders
from program_enrollments.data import LearnerProblem
from program_enrollments.models import (
    CourseRun,
    Job,
    Learner,
    LedgerEntry,
    LinkClaim,
    ProgramEnrollment,
    SamlConfiguration,
    School,
)
from tests.browser.accessibility import PHONE, WIDE, each_mode, find_barriers, show
from tests.browser.test_sign_on import click, complaints, fill, sign_in_at_the_university, wait_for
from tests.factories.enrollment import (
    CourseRunFactory,
    GrantFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    SchoolFactory,
)
from tests.factories.host import ConfirmedUserFactory, SuperuserFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

Screenshot = Callable[[str], None]
ADMIN = "/admin/university_enrollments/"
MAX_CLICKS = 9


def look(browser: Chrome, name: str, screenshot: Screenshot, *, url: str = "") -> dict[str, object]:
    """Return the barriers of a page, or of the one at hand, in every mode, and keep a picture of each."""
    found: dict[str, object] = {}
    for mode in each_mode(browser, lambda: browser.get(url or browser.current_url)):
        found |= find_barriers(browser, where=name, mode=mode)
        screenshot(f"{name}-{mode.width}-{mode.scheme}-{mode.media}")
    return found


def sign_in_as_support(browser: Chrome, live_server: LiveServer) -> None:
    SuperuserFactory(username="support")
    browser.get(f"{live_server.url}/admin/")
    fill(browser, username="support", password="password")
    browser.find_element(By.ID, "id_password").submit()
    wait_for(browser, "Site administration")


@pytest.fixture
def held(course_run: CourseRun) -> Learner:
    """The place of student1, which an account has got by the address."""
    holder = ConfirmedUserFactory(username="sasha", email="student1@uni-a.example")
    learner = Learner.objects.get(student_key="student1")
    Learner.objects.filter(pk=learner.pk).update(user=holder, link_how="email", linked_at=timezone.now())
    return learner


def test_the_pages_of_a_sign_on_can_be_used_by_everybody(
    browser: Chrome, live_server: LiveServer, school: School, held: Learner, screenshot: Screenshot
) -> None:
    found: dict[str, object] = {}
    SchoolFactory(key="uni-x", name="University X", primary_color="#ffd54a", support_email="help@uni-x.example")
    for name, path in {
        "list": "/sso/",
        "school": "/sso/schools/uni-a/",
        "closed-school": "/sso/schools/uni-x/",
        "nothing-waits": "/sso/connect/",
    }.items():
        found |= look(browser, f"sso-{name}", screenshot, url=live_server.url + path)
    browser.get(f"{live_server.url}/sso/start/uni-a/")
    sign_in_at_the_university(browser)
    wait_for(browser, "You may already have an account")
    found |= look(browser, "sso-connect", screenshot)
    click(browser, "Use a new account")
    wait_for(browser, "Another account holds your place")
    found |= look(browser, "sso-disputed", screenshot)
    SamlConfiguration.objects.filter(identity_provider__slug="uni-a").update(is_test_only=True)
    browser.get(f"{live_server.url}/sso/start/uni-a/")
    wait_for(browser, "This is a demo.")

    def sign_on() -> None:
        browser.get(f"{live_server.url}/sso/start/uni-a/")
        sign_in_at_the_university(browser)
        wait_for(browser, "Test sign-on of University A")

    for mode in each_mode(browser, sign_on):
        found |= find_barriers(browser, where="test sign-on", mode=mode)
        screenshot(f"sso-tested-{mode.width}-{mode.scheme}-{mode.media}")
    assert found == {}, "\n".join(f"{where}: {what}" for where, what in found.items())
    assert [one for one in complaints(browser) if "40" not in one] == []


def test_the_pages_of_the_admin_can_be_used_by_everybody(
    browser: Chrome, live_server: LiveServer, school: School, universities: RunningProviders, screenshot: Screenshot
) -> None:
    learner = LinkedLearnerFactory(
        school=school,
        student_key="S-1",
        link_how="email",
        problem_code=LearnerProblem.CONFLICT,
        problem_detail="Linked to one account by confirmed e-mail, but another account claims this learner.",
    )
    enrollment = ProgramEnrollmentFactory(curriculum__program__school=school, learner=learner)
    run = CourseRunFactory(curricula=[enrollment.curriculum])
    ProgramCourseEnrollmentFactory(program=enrollment.program, course_run=run, learner=learner)
    PreemptiveCourseEnrollmentFactory(
        program=enrollment.program,
        course_run=CourseRunFactory(curricula=[enrollment.curriculum]),
        learner=learner,
        problem_code="course_run_unknown",
        problem_detail="The learning platform has no course run with this key.",
        refusals=5,
        tries=5,
        last_tried=timezone.now(),
    )
    claimant = UserFactory(username="a.claimant.with.a.rather.long.name")
    LinkClaim.objects.create(learner=learner, user=claimant, how="sso", at=timezone.now())
    for kind, before, after in (
        ("link", None, f"email:{learner.user_id}"),
        ("conflict", f"email:{learner.user_id}", f"sso:{claimant.pk}"),
    ):
        LedgerEntry.objects.create(
            at=timezone.now(),
            learner=learner,
            student_key="S-1",
            kind=kind,
            before=before,
            after=after,
            source="staff",
            actor_id=claimant.pk,
            reason="The student showed a card; the registrar has confirmed the address by telephone.",
        )
    GrantFactory(school=school)
    job = Job.objects.create(program=enrollment.program, school=school, kind="program_enrollments", mode="upsert")
    provider = school.identity_providers.get(slug="uni-a")
    page = f"learner/{learner.pk}"
    sign_in_as_support(browser, live_server)
    found: dict[str, object] = {}
    for name, path in {
        "index": "",
        "learners": "learner/",
        "learner": f"{page}/change/",
        "link": f"{page}/link/",
        "status": f"{page}/status/?program={enrollment.program.pk}",
        "ledger": "ledgerentry/",
        "ledger-entry": f"ledgerentry/{LedgerEntry.objects.latest('pk').pk}/change/",
        "enrollments": "programenrollment/",
        "enrollment": f"programenrollment/{enrollment.pk}/change/",
        "job": f"job/{job.pk}/change/",
        "decide-job": f"job/{job.pk}/decide/",
        "school": f"school/{school.pk}/change/",
        "provider": f"identityprovider/{provider.pk}/change/",
        "providers": "identityprovider/",
        "import": "identityprovider/import-metadata/",
        "permanent-id": "identityprovider/permanent-id/?slug=uni-a&name=studentNumber",
        "program": f"program/{enrollment.program.pk}/change/",
        "curriculum": f"curriculum/{enrollment.curriculum.pk}/change/",
        "grants": "grant/",
        "grant": "grant/add/",
    }.items():
        found |= look(browser, f"admin-{name}", screenshot, url=f"{live_server.url}{ADMIN}{path}")
    assert found == {}, "\n".join(f"{where}: {what}" for where, what in found.items())


def test_the_ledger_can_be_read_at_1280_pixels(
    browser: Chrome, live_server: LiveServer, school: School, screenshot: Screenshot
) -> None:
    enrollment = ProgramEnrollmentFactory(curriculum__program__school=school)
    LedgerEntry.objects.create(
        program=enrollment.program,
        position=1,
        at=timezone.now(),
        learner=enrollment.learner,
        student_key="U-2024-00012345",
        kind="program_enrollment",
        before="enrolled",
        after="suspended",
        source="staff",
        actor_id=UserFactory(username="registrar.of.the.university").pk,
        reason="Fees are outstanding since the end of the term; the finance department has sent two reminders.",
    )
    sign_in_as_support(browser, live_server)
    show(browser, width=WIDE, scheme="light")

    browser.get(f"{live_server.url}{ADMIN}ledgerentry/")

    screenshot("admin-ledger-row")
    results = browser.find_element(By.CSS_SELECTOR, "#changelist .results")
    assert int(results.get_attribute("scrollWidth") or 0) <= int(results.get_attribute("clientWidth") or 0)
    text = results.text
    for part in ("U-2024-00012345", "suspended", "registrar.of.the.university", "two reminders"):
        assert part in text


def test_a_place_that_another_account_holds_is_given_to_the_student(
    browser: Chrome, live_server: LiveServer, held: Learner, screenshot: Screenshot
) -> None:
    """She reads what to do; support decides on the learner's page alone; she has it without signing in again."""
    School.objects.filter(key="uni-a").update(support_name="Registrar", support_email="registrar@uni-a.example")
    show(browser, width=PHONE, scheme="light")
    browser.get(f"{live_server.url}/sso/start/uni-a/")
    sign_in_at_the_university(browser)
    wait_for(browser, "The existing account already has your place")
    click(browser, "Use a new account")
    wait_for(browser, "Another account holds your place")
    reference = browser.find_element(By.CSS_SELECTOR, ".dispute code").text
    assert browser.find_element(By.LINK_TEXT, "Registrar").get_attribute("href") == "mailto:registrar@uni-a.example"
    click(browser, "Continue")
    wait_for(browser, "My programs")
    second = User.objects.get(social_auth__uid="uni-a:student1")
    student_window = browser.current_window_handle
    cookies = browser.get_cookies()

    browser.delete_all_cookies()
    show(browser, width=WIDE, scheme="light")
    sign_in_as_support(browser, live_server)
    clicks = 0

    def press(text: str) -> None:
        nonlocal clicks
        clicks += 1
        click(browser, text)

    press("Conflicts about an account")
    wait_for(browser, "student1")
    press("student1")
    wait_for(browser, "Who claims this learner")
    assert reference == f"#{held.pk}"
    assert second.get_username() in browser.page_source
    screenshot("admin-conflict")
    fill(browser, reason="The student showed a card")
    press("Link to this account")
    wait_for(browser, "The learner is linked to this account.")
    screenshot("admin-conflict-decided")
    assert clicks <= MAX_CLICKS
    assert ProgramEnrollment.objects.get().learner.user == second

    browser.switch_to.window(student_window)
    browser.delete_all_cookies()
    for cookie in cookies:
        browser.add_cookie(cookie)
    browser.get(f"{live_server.url}/dashboard/")
    wait_for(browser, "Master of Computer Science")
