"""The host's optional ports: missing, failing or late, the pages show what is known all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from demo_lms.host import DemoHost
from program_enrollments.data import ProgramStatus
from program_enrollments.models import Program
from tests.dashboard.conftest import Student, enroll, learn

pytestmark = pytest.mark.once

PORTS = ("progress", "learner_grades", "resume_links", "due_dates", "certificates", "keep_account")
UseHost = Callable[[type], None]


class Breaking:
    """A port whose every call does what the test wants."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self._does = does

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self._does()


class BareHost(DemoHost):
    """A host without any of the optional ports."""

    def __init__(self) -> None:
        super().__init__()
        for name in PORTS:
            delattr(self, name)


class BreakingHost(DemoHost):
    """A host whose optional ports all do the same."""

    does: Callable[[], Any]
    only: tuple[str, ...] = PORTS

    def __init__(self) -> None:
        super().__init__()
        for name in self.only:
            setattr(self, name, Breaking(self.does))


def take_time() -> dict[str, str]:
    time.sleep(0.1)
    return {}


def fail() -> None:
    raise ConnectionError("SECRET <secret@uni.example>")


def fail_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


def lose_the_database() -> None:
    raise OperationalError("gone")


class FailingHost(BreakingHost):
    does = staticmethod(fail)


class SpoilingHost(BreakingHost):
    does = staticmethod(fail_in_the_database)


class LosingHost(BreakingHost):
    does = staticmethod(lose_the_database)


class OddHost(BreakingHost):
    does = staticmethod(lambda: None)


class SlowHost(DemoHost):
    """A host that takes its time for the first report."""

    def __init__(self) -> None:
        super().__init__()
        host: Any = self
        host.resume_links = Breaking(take_time)


class ForgetfulHost(BreakingHost):
    """A host of which one port fails."""

    does = staticmethod(fail)
    only = ("learner_grades",)


@pytest.fixture
def enrolled(student: Student, program: Program) -> Student:
    enroll(student.user, program, status=ProgramStatus.ENROLLED)
    learn(student.user, program)
    return student


def test_without_the_ports_their_parts_are_left_out(enrolled: Student, program: Program, without: UseHost) -> None:
    without(BareHost)
    for page in (enrolled.open("program", program.uuid), enrolled.open("all"), enrolled.open("own-data")):
        assert page.status == 200
        assert "does not answer" not in page.text, "nothing is amiss"
        assert not any(words in page.text for words in ("Due next", "passed", "40 %"))
    assert "1 of 4 courses done" in enrolled.open("program", program.uuid).text


@pytest.mark.parametrize("host", [FailingHost, SpoilingHost, LosingHost, OddHost], ids=lambda host: host.__name__)
def test_with_failing_ports_the_page_shows_what_is_known(
    enrolled: Student, program: Program, without: UseHost, host: type, caplog: pytest.LogCaptureFixture
) -> None:
    without(host)
    for page in (enrolled.open("program", program.uuid), enrolled.open("all")):
        assert page.status == 200
        assert "1 of 4 courses done" in page.text
        assert "The learning platform does not answer just now" in page.text
    assert enrolled.open("own-data").status == 200
    assert "SECRET" not in caplog.text


def test_one_failing_port_takes_no_other_with_it(enrolled: Student, program: Program, without: UseHost) -> None:
    without(ForgetfulHost)
    page = enrolled.open("program", program.uuid)
    assert "Problem set 4" in page.text
    assert "passed" not in page.text
    assert "does not answer just now" in page.text


def test_a_late_host_is_not_asked_further(enrolled: Student, program: Program, without: UseHost, settings: Any) -> None:
    without(SlowHost)
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "DASHBOARD_HOST_SECONDS": 0.05}

    page = enrolled.open("program", program.uuid)

    assert page.status == 200
    assert "does not answer just now" in page.text
    assert "Problem set 4" not in page.text, "its time was up"


@pytest.mark.parametrize("status", [ProgramStatus.ENROLLED, ProgramStatus.ENDED])
def test_an_account_of_the_university_alone_can_be_kept(student: Student, program: Program, status: str) -> None:
    enroll(student.user, program, status=status)
    assert "Keep your account" not in student.open("program", program.uuid).text, "it has a password"
    student.user.set_unusable_password()
    student.user.save()
    student.client.force_login(student.user)

    for name, args in (("all", ()), ("program", (program.uuid,))):
        links = student.open(name, *args).tree.xpath("//main//a/@href")
        assert ("/accounts/keep/" in links) == (status == ProgramStatus.ENDED)
    assert "/accounts/keep/" in student.open("own-data").tree.xpath("//main//a/@href")


def test_without_the_port_a_setting_names_the_page(
    student: Student, program: Program, without: UseHost, settings: Any
) -> None:
    without(BareHost)
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "KEEP_ACCOUNT_URL": "/settings/password/"}
    enroll(student.user, program, status=ProgramStatus.ENDED)
    assert "/settings/password/" not in student.open("all").content
    student.user.set_unusable_password()
    student.user.save()
    student.client.force_login(student.user)
    assert "/settings/password/" in student.open("all").content


def test_the_demos_page_takes_a_password(student: Student) -> None:
    student.user.set_unusable_password()
    student.user.save()
    student.client.force_login(student.user)
    assert student.client.get("/accounts/keep/").status_code == 200
    secret = "a long enough password"
    student.client.post("/accounts/keep/", {"new_password1": secret, "new_password2": secret})
    student.user.refresh_from_db()
    assert student.user.check_password(secret)
    assert student.client.get("/accounts/keep/").status_code == 302
