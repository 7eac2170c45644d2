"""The optional ports: what they may answer, and what is made of anything else."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from demo_lms.host import DemoHost
from program_enrollments import checks
from program_enrollments.data import DueDate, Grade
from program_enrollments.exceptions import HostAnswerUnusable, HostError
from program_enrollments.host.checked_host import CheckedHost

NOW = datetime(2026, 3, 2, tzinfo=UTC)
KEY = "course-v1:Uni+C1+2026"
LATER = NOW + timedelta(days=1)


class Answering:
    """A port whose every method gives one answer, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


PORTS = {
    "progress": "fetch_progress",
    "learner_grades": "fetch_learner_grades",
    "resume_links": "fetch_resume_links",
    "due_dates": "fetch_due_dates",
    "certificates": "fetch_certificates",
}


def ask(port: str, answer: Any, course_ids: Collection[str] = (KEY,)) -> Any:
    host: Any = DemoHost()
    setattr(host, port, Answering(answer))
    moment = {"after": NOW} if port == "due_dates" else {}
    checked = getattr(CheckedHost(host), port)
    return getattr(checked, PORTS[port])(user_id=1, course_ids=course_ids, **moment)


@pytest.mark.parametrize(
    ("port", "good", "bad"),
    [
        ("progress", [0, 0.5, 1], [-0.1, 1.1, True, "0.5", None, float("nan")]),
        ("learner_grades", [Grade("A", 0.9, passed=True)], [Grade("", 0.9, passed=True), None, 0.9]),
        (
            "resume_links",
            ["/courses/1/", "https://lms.example/1", "HTTP://lms.example"],
            [
                "javascript:alert(1)",
                "//elsewhere.example",
                "/\\elsewhere.example",
                "",
                "/a\nb",
                "courses/1",
                7,
                "https:///",
            ],
        ),
        (
            "due_dates",
            [DueDate("Essay", LATER)],
            [DueDate("", LATER), DueDate("Essay", NOW), DueDate("Essay", LATER.replace(tzinfo=None)), LATER],
        ),
        ("certificates", ["/certificates/1"], ["data:text/html,x", None]),
    ],
)
def test_an_unusable_record_is_left_out(
    port: str, good: list[Any], bad: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    for value in good:
        assert ask(port, {KEY: value}) == {KEY: value}
    assert not caplog.records
    for number, value in enumerate(bad, start=1):
        assert ask(port, {KEY: value}) == {}, value
        assert len(caplog.records) == number
    assert "javascript" not in caplog.text


@pytest.mark.parametrize("port", PORTS)
def test_an_unusable_answer_is_a_failure_of_the_port(port: str) -> None:
    with pytest.raises(HostAnswerUnusable):
        ask(port, None)
    with pytest.raises(HostError):
        ask(port, RuntimeError("SECRET"))
    assert ask(port, {"course-v1:Not+Asked+1": None}) == {}


@pytest.mark.parametrize("answer", ["/accounts/keep/", ""])
def test_the_page_that_keeps_the_account(answer: str) -> None:
    host: Any = DemoHost()
    host.keep_account = Answering(answer)
    port = CheckedHost(host).keep_account
    assert port is not None
    assert port.keep_account_url(user_id=1) == answer
    host.keep_account = Answering("javascript:alert(1)")
    assert port.keep_account_url(user_id=1) == ""


class WithoutOptionalPorts(DemoHost):
    """An adapter written before there were any."""

    def __init__(self) -> None:
        super().__init__()
        for name in (*PORTS, "keep_account"):
            delattr(self, name)


class WithOtherArguments(DemoHost):
    """An adapter with an optional port that cannot be called as the app calls it."""

    def __init__(self) -> None:
        super().__init__()
        host: Any = self
        host.progress = self

    def fetch_progress(self, *, user: int) -> None: ...


def test_a_port_that_is_lacking_is_no_mistake_but_a_wrong_one_is(settings: Any) -> None:
    def found(host: type) -> list[str]:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.{host.__name__}"}
        return [message.msg for message in checks.check_host(None)]

    assert found(WithoutOptionalPorts) == []
    assert CheckedHost(WithoutOptionalPorts()).progress is None
    (message,) = found(WithOtherArguments)
    assert "progress.fetch_progress" in message
