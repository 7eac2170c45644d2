"""Whole stories over HTTP: the demo LMS, the identity providers of pysaml2 in a process of their own, and a browser."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from pytest_django.live_server_helper import LiveServer
from social_django.models import UserSocialAuth

from demo_lms.idp.people import PASSWORD
from demo_lms.idp.running import RunningProviders
from demo_lms.models import EmailAddress
from demo_lms.models.primary import rows_of
from program_enrollments.models import (
    CourseRun,
    IdentityProvider,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    School,
)
from program_enrollments.saml.identities import UID
from tests.factories.accounts import MODEL, USERNAME, email_of, username_after_sign_on, username_of
from tests.factories.enrollment import SchoolFactory
from tests.factories.host import ConfirmedUserFactory, SuperuserFactory
from tests.flows.browsing import Browser

STUDENT1 = username_after_sign_on(name="student1", address="student1@uni-a.example")

pytestmark = pytest.mark.django_db(transaction=True)


def sign_on(browser: Browser, username: str = "student1") -> Browser:
    """From the university's sign-in form to the page where people land: three forms, as a browser submits them."""
    browser.submit(username=username, password=PASSWORD)
    assert "/sso/acs/" in browser.page.forms[0].get("action"), "the university's page posts back"
    browser.submit()
    assert browser.url.endswith("/sso/acs/")
    return browser.submit()


def test_a_student_signs_in_and_finds_what_was_promised(live_server: LiveServer, course_run: CourseRun) -> None:
    browser = Browser().open(f"{live_server.url}/")
    browser.follow("Sign in with your university").follow("University A").follow("Sign in with University A")
    assert "student1" in browser.text, "the university's page, which tells the demo's students"

    sign_on(browser)

    assert browser.url == f"{live_server.url}/dashboard/"
    # Real in the database by the time this page was made.
    enrollment = ProgramEnrollment.objects.select_related("learner__user").get()
    assert ProgramCourseEnrollment.objects.get().course_run == course_run
    assert enrollment.learner.user == MODEL._default_manager.get()
    for shown in ("Master of Computer Science", "Algorithms", "enrolled", "student1"):
        assert shown in browser.text
    user = MODEL._default_manager.get()
    assert (user.get_username(), email_of(user)) == (STUDENT1, "student1@uni-a.example")
    assert rows_of(EmailAddress).get(user=user).is_verified, "the university is trusted for its own domain"
    assert browser.follow("Algorithms").response.status_code == 200


def test_a_link_into_a_course_survives_the_round_trip(live_server: LiveServer, course_run: CourseRun) -> None:
    course = f"/courses/{course_run.course_id}/"
    browser = Browser().open(f"{live_server.url}/sso/schools/uni-a/?{urlencode({'next': course})}")

    sign_on(browser.follow("Sign in with University A"))

    assert browser.url == f"{live_server.url}{course}"
    assert "Algorithms" in browser.text


def test_a_wrong_password_is_the_universitys_affair(live_server: LiveServer, school: School) -> None:
    browser = Browser().open(f"{live_server.url}/sso/start/uni-a/")

    browser.submit(username="student1", password="wrong")

    assert browser.response.status_code == 403
    assert "wrong" in browser.text
    sign_on(browser)
    assert browser.url == f"{live_server.url}/dashboard/"


def test_the_universitys_portal_leads_here(
    live_server: LiveServer, universities: RunningProviders, course_run: CourseRun
) -> None:
    browser = Browser().open(f"{universities.base_url}/uni-a/portal")

    sign_on(browser)

    assert browser.url == f"{live_server.url}/dashboard/"
    assert "Master of Computer Science" in browser.text


def test_one_computer_two_students_two_universities(live_server: LiveServer, school: School) -> None:
    browser = Browser()
    for slug, username in (("uni-a", "student1"), ("uni-a", "student2"), ("uni-b", "student1")):
        sign_on(browser.open(f"{live_server.url}/sso/start/{slug}/"), username)

    identities = dict(UserSocialAuth.objects.values_list("uid", f"user__{USERNAME}"))
    assert set(identities) == {"uni-a:student1", "uni-a:student2", "uni-b:student1"}
    assert len(set(identities.values())) == 3
    assert identities["uni-b:student1"] in browser.text, "the last one is signed in"


def test_somebody_connects_the_account_they_have_already(live_server: LiveServer, school: School) -> None:
    ConfirmedUserFactory(username="sasha", email="student1@uni-a.example")
    browser = Browser().open(f"{live_server.url}/sso/start/uni-a/?next=/accounts/email/")

    sign_on(browser)
    assert "You may already have an account" in browser.text
    browser.follow("Sign in to my existing account").submit(username=username_of("sasha"), password="password")
    assert "Connect University A to " + username_of("sasha") in browser.page.xpath("string(//main)")
    browser.submit(button="decision")
    assert "Your account is connected" in browser.text
    browser.follow("Continue")

    assert browser.url == f"{live_server.url}/accounts/email/"
    assert UserSocialAuth.objects.values_list("uid", f"user__{USERNAME}").get() == (
        "uni-a:student1",
        username_of("sasha"),
    )
    again = sign_on(Browser().open(f"{live_server.url}/sso/start/uni-a/"))
    assert "sasha" in again.text


def test_a_university_added_just_now_signs_its_students_in(
    live_server: LiveServer, universities: RunningProviders, school: School
) -> None:
    """Support staff add University C in the admin: nothing is restarted, its metadata is all they need."""
    SuperuserFactory(username="support")
    SchoolFactory(key="uni-c", name="University C")
    xml = Browser().open(f"{universities.base_url}/uni-c/metadata").response.text

    staff = Browser().open(f"{live_server.url}/admin/").submit(username=username_of("support"), password="password")
    staff.open("/admin/university_enrollments/identityprovider/").follow("Add by metadata")
    key = str(School.objects.get(key="uni-c").pk)
    staff.submit(button="show", school=key, slug="uni-c", metadata=xml, id_attribute=UID)
    assert "https://idp.uni-c.example/saml" in staff.text
    staff.submit(button="save")
    assert "counts at once" in staff.text

    tester = sign_on(Browser().open(f"{live_server.url}/sso/start/uni-c/"))
    assert "Test sign-on of University C" in tester.text
    assert "uni-c:student1" in tester.text
    assert not MODEL._default_manager.filter(**{f"{USERNAME}__startswith": "student"}).exists()

    provider = IdentityProvider.objects.select_related("saml").get(slug="uni-c")
    staff.open(f"/admin/university_enrollments/identityprovider/{provider.pk}/change/")
    (box,) = staff.page.xpath('//input[@name="saml-0-is_test_only"]')
    assert box.get("checked") is not None
    provider.saml.is_test_only = False
    provider.saml.save()

    student = Browser().open(f"{live_server.url}/sso/").follow("University C").follow("Sign in with University C")
    sign_on(student)
    assert student.url == f"{live_server.url}/dashboard/"
    assert UserSocialAuth.objects.get().uid == "uni-c:student1"


def test_a_service_that_the_university_does_not_know_gets_nobody(
    live_server: LiveServer, universities: RunningProviders, school: School
) -> None:
    browser = Browser().open(f"{universities.base_url}/uni-a/sso?SAMLRequest=nonsense")

    browser.submit(username="student1", password=PASSWORD)

    assert browser.response.status_code == 400
