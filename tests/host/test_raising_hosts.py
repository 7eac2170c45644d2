"""A host that raises where it is asked for reports is one that is down, whatever it raises."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from demo_lms.host import DemoHost
from program_enrollments import api
from program_enrollments.exceptions import HostError, HostRefused
from program_enrollments.models import GradeFreeze
from tests.api.conftest import World
from tests.api.grade_freezes import freeze
from tests.api.grades.test_final_grades import enroll, read


class RaisingHost(DemoHost):
    """Raises whatever a test wants when it is asked for grades or attendance."""

    error: Exception = RuntimeError()

    def __init__(self) -> None:
        super().__init__()
        self.grades = self
        self.attendance = self

    def fetch_grades(self, **_: Any) -> Any:
        raise self.error

    def fetch_attendance(self, **_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ConnectionError("SECRET <secret@uni.example>"), HostError),
        (KeyError("SECRET"), HostError),
        (HostRefused(), HostRefused),
        (OperationalError("gone"), OperationalError),
    ],
    ids=repr,
)
def test_reports_of_a_host_that_raises(
    world: World,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    raised: type[Exception],
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.RaisingHost"}
    monkeypatch.setattr(RaisingHost, "error", error)
    enroll(world, "SECRET")

    with pytest.raises(raised):
        read(world)
    with pytest.raises(raised):
        api.fetch_attendance(program=world.program, course_run=world.course_run, cursor=None, page_size=10)
    with pytest.raises(raised):
        freeze(world)
    assert not GradeFreeze.objects.exists()
    assert (type(error).__name__ in caplog.text) == (raised is HostError)
    assert "SECRET" not in caplog.text
