"""Keeping: a learner's place that files leave alone, in the program or in one course."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from program_enrollments.data import JobKind, Permission
from program_enrollments.models import KeptEnrollment, PreemptiveCourseEnrollment
from tests.console.conftest import Desk, enroll, keep_file, learner_id
from tests.rest_api.callers import Campus


@pytest.fixture
def place(campus: Campus) -> tuple[Any, ...]:
    """A learner's place in a course."""
    # The guard would hold a file that leaves nobody in the course.
    enroll(campus, "S-1", "S-2", active=True)
    return (campus.program.uuid, campus.course_run.course_id, learner_id(campus, "S-1"))


def course_forms(desk: Desk, place: tuple[Any, ...]) -> list[Any]:
    """Return the forms that keep or release a place in a course, on the learner's page."""
    page = desk.open("learner", place[0], place[2])
    return [form for form in page.tree.xpath("//form") if f"/courses/{place[1]}/" in str(form.get("action"))]


@pytest.mark.usefixtures("file_storage")
def test_one_course_is_kept_and_released(registrar: Desk, campus: Campus, place: tuple[Any, ...]) -> None:
    (form,) = course_forms(registrar, place)
    assert form.xpath("string(.//button)") == "Keep the place in this course"

    page = registrar.send("course-keep", *place, reason="Appeal is open", until="2099-01-31")

    assert page.messages() == ["Files leave this enrollment alone from now on."]
    kept = KeptEnrollment.objects.get()
    assert (kept.course_run, kept.reason, str(kept.until)) == (campus.course_run, "Appeal is open", "2099-01-31")
    assert "leave it alone" in page.text
    assert "“Appeal is open”" in page.text
    text = f"course_id,student_key,status\n{place[1]},S-1,inactive\n"
    keep_file(campus, text, kind=JobKind.COURSE_ENROLLMENTS)
    assert PreemptiveCourseEnrollment.objects.get(learner__student_key="S-1").status == "active"

    (form,) = course_forms(registrar, place)
    assert form.xpath("string(.//button)").startswith("Release")
    assert registrar.send("course-keep", *place, release="1").messages() == [
        "Files decide about this enrollment again."
    ]
    keep_file(campus, text, kind=JobKind.COURSE_ENROLLMENTS)
    assert PreemptiveCourseEnrollment.objects.get(learner__student_key="S-1").status == "inactive"


def test_a_place_is_not_kept_without_a_reason(registrar: Desk, place: tuple[Any, ...]) -> None:
    assert registrar.send("course-keep", *place).messages() == ["Give a reason, and a date or none."]
    assert not KeptEnrollment.objects.exists()


def test_who_only_reads_sees_whether_files_decide(holding: Callable[..., Desk], place: tuple[Any, ...]) -> None:
    viewer = holding(Permission.READ_ENROLLMENTS)

    assert course_forms(viewer, place) == []
    assert "decide about it" in viewer.open("learner", place[0], place[2]).text
    assert viewer.send("course-keep", *place, reason="x").status == 403
