from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail.backends.filebased import EmailBackend
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from demo_lms.demo_data.catalog import CS101
from demo_lms.models import CourseEnrollment, DailyActivity
from demo_lms.pages.outbox import SHOWN, read_outbox
from tests.factories.host import (
    CourseAccessRoleFactory,
    CourseEnrollmentFactory,
    DailyActivityFactory,
    HostCourseRunFactory,
    SuperuserFactory,
    UserFactory,
)

pytestmark = [pytest.mark.once, pytest.mark.django_db]

COURSE = f"/courses/{CS101.course_id}/"


def links(content: str) -> set[str]:
    return {link for link in re.findall(r'href="([^"]+)"', content) if link.startswith("/")}


@pytest.mark.usefixtures("seeded")
class TestHome:
    @pytest.mark.parametrize("who", ["anybody", "learner", "superuser"])
    def test_every_link_answers(self, client: Client, who: str) -> None:
        if who != "anybody":
            client.force_login(SuperuserFactory() if who == "superuser" else UserFactory())

        found = links(client.get("/").content.decode())

        assert {"/accounts/sign-in/", "/dashboard/", "/admin/", "/dev/sign-in/", "/dev/outbox/", COURSE} <= found
        answers = {link: client.get(link, follow=True).status_code for link in found if not link.startswith("/static/")}
        assert not {link: status for link, status in answers.items() if status != 200}

    def test_names_the_credentials_to_try(self, client: Client) -> None:
        content = client.get("/").content.decode()

        assert "uni-a-secret" in content
        assert "http://testserver/oauth2/access_token" in content

    def test_no_page_loads_anything_from_elsewhere(self, client: Client, settings: Settings, tmp_path: Path) -> None:
        settings.EMAIL_FILE_PATH = str(tmp_path)
        message = mail.EmailMessage("Confirm", "See http://testserver/x/", "from@demo.example", ["ann@uni.example"])
        EmailBackend(file_path=str(tmp_path)).send_messages([message])
        client.force_login(SuperuserFactory())
        for page in (
            "/",
            "/dashboard/",
            "/accounts/sign-in/",
            "/accounts/email/",
            "/dev/sign-in/",
            "/dev/outbox/",
            COURSE,
        ):
            content = client.get(page).content.decode()
            # A link may lead elsewhere: nothing is loaded until somebody follows it.
            loading = re.sub(r"<a [^>]*>", "", content)
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', loading), page
            assert '<html lang="en">' in content
            assert content.count("<h1>") == 1

    def test_what_is_not_there_is_a_page_that_leads_back(self, client: Client) -> None:
        response = client.get("/nowhere/")

        assert response.status_code == 404
        assert 'href="/"' in response.content.decode()


class TestCoursePage:
    @pytest.fixture
    def seat(self) -> CourseEnrollment:
        seat: CourseEnrollment = CourseEnrollmentFactory(
            course_run__course_id=CS101.course_id, course_run__units=2, mode="masters"
        )
        return seat

    @pytest.mark.usefixtures("same_day")
    def test_a_visit_is_todays_activity_once(self, client: Client, seat: CourseEnrollment) -> None:
        client.force_login(seat.user)

        for _visit in range(3):
            assert client.get(COURSE).status_code == 200

        assert DailyActivity.objects.values_list("user", "course_run", "day", "units_done").get() == (
            seat.user.pk,
            CS101.course_id,
            timezone.now().date(),
            0,
        )

    @pytest.mark.usefixtures("same_day")
    def test_units_add_up_from_day_to_day_and_end_with_the_last(self, client: Client, seat: CourseEnrollment) -> None:
        yesterday = timezone.now().date() - timedelta(days=1)
        DailyActivityFactory(user=seat.user, course_run=seat.course_run, day=yesterday, units_done=1)
        client.force_login(seat.user)

        for _unit in range(3):
            assert client.post(f"{COURSE}finish-unit/").url == COURSE  # type: ignore[attr-defined]

        assert list(DailyActivity.objects.order_by("day").values_list("units_done", flat=True)) == [1, 2]
        assert "2 of 2 units done" in client.get(COURSE).content.decode()

    @pytest.mark.parametrize("who", ["anybody", "not enrolled", "no longer enrolled"])
    def test_who_has_no_seat_leaves_no_trace(self, client: Client, seat: CourseEnrollment, who: str) -> None:
        if who == "not enrolled":
            client.force_login(UserFactory())
        if who == "no longer enrolled":
            client.force_login(seat.user)
            seat.is_active = False
            seat.save()

        assert client.get(COURSE).status_code == 200
        assert client.post(f"{COURSE}finish-unit/").status_code == (302 if who == "anybody" else 404)
        assert not DailyActivity.objects.exists()

    def test_course_staff_see_their_role(self, client: Client, seat: CourseEnrollment) -> None:
        CourseAccessRoleFactory(user=seat.user, course_run=seat.course_run)
        client.force_login(seat.user)

        assert "course staff" in client.get(COURSE).content.decode()

    def test_an_unknown_course_is_404(self, client: Client) -> None:
        assert client.get(COURSE).status_code == 404


class TestDashboard:
    def test_is_for_who_is_signed_in(self, client: Client) -> None:
        assert client.get("/dashboard/").url == "/accounts/sign-in/?next=/dashboard/"  # type: ignore[attr-defined]

    def test_says_what_to_do_without_a_program(self, client: Client) -> None:
        client.force_login(UserFactory(email="ann@uni.example"))

        content = client.get("/dashboard/").content.decode()

        assert "You are in no program" in content
        assert "not confirmed yet" in content

    def test_lists_other_courses_too(self, client: Client) -> None:
        seat = CourseEnrollmentFactory(course_run=HostCourseRunFactory(title="Pottery"), mode="audit")
        client.force_login(seat.user)

        assert "Pottery" in client.get("/dashboard/").content.decode()


@pytest.mark.usefixtures("seeded")
class TestDashboardOfTheDemo:
    def test_shows_programs_and_courses_with_status(self, client: Client) -> None:
        client.post("/accounts/sign-in/", {"username": "dana", "password": "learner"})

        content = client.get("/dashboard/").content.decode()

        assert "Master of Computer Science" in content
        assert "Your place has been suspended since" in content
        assert "Ask Study advice." in content
        assert 'href="/courses/course-v1:UniA+CS102+2026/"' not in content, "the course is closed meanwhile"

    def test_shows_where_to_go_on(self, client: Client) -> None:
        client.post("/accounts/sign-in/", {"username": "alex", "password": "learner"})

        content = client.get("/dashboard/").content.decode()

        assert 'href="/courses/course-v1:UniA%2BCS101%2B2026/"' in content or "UniA+CS101+2026/" in content
        assert "Problem set 4" in content


class TestOutbox:
    def send(self, folder: Path, subject: str, body: str) -> None:
        message = mail.EmailMessage(subject, body, "from@demo.example", ["ann@uni.example"])
        EmailBackend(file_path=str(folder)).send_messages([message])

    def test_shows_mails_with_links_and_without_their_markup(
        self, client: Client, settings: Settings, tmp_path: Path
    ) -> None:
        settings.EMAIL_FILE_PATH = str(tmp_path)
        self.send(tmp_path, "Grüße <b>", "See http://testserver/x/y/ – <script>alert(1)</script>\n" + "-" * 78)

        content = client.get("/dev/outbox/").content.decode()

        assert "Grüße &lt;b&gt;" in content
        assert '<a href="http://testserver/x/y/" rel="nofollow">' in content
        assert "<script>alert" not in content
        assert "ann@uni.example" in content

    def test_shows_the_newest_and_not_too_many(self, tmp_path: Path) -> None:
        for number in range(SHOWN + 2):
            self.send(tmp_path, f"Mail {number}", "Hello")

        assert len(read_outbox(folder=tmp_path)) == SHOWN

    def test_is_empty_before_the_first_mail(self, client: Client, settings: Settings, tmp_path: Path) -> None:
        settings.EMAIL_FILE_PATH = str(tmp_path / "nothing")

        assert "None so far" in client.get("/dev/outbox/").content.decode()


def test_admin_pages_of_the_demo_take_a_constant_number_of_statements(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(SuperuserFactory())
    for _number in range(12):
        CourseEnrollmentFactory(user__email="x@uni.example")
        CourseAccessRoleFactory()
        DailyActivityFactory()
    for model in ("courserun", "courseenrollment", "courseaccessrole", "coursegrade", "dailyactivity", "emailaddress"):
        with django_assert_max_num_queries(8):
            assert client.get(f"/admin/demo_lms/{model}/", {"q": "x"}).status_code == 200
