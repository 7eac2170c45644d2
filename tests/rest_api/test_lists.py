"""The envelope of lists: pages, cursors, page sizes. On the list of program enrollments; the others share it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from program_enrollments.models import PreemptiveProgramEnrollment
from tests.factories.enrollment import (
    CourseRunFactory,
    LearnerFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.rest_api.callers import AppSettings, Caller, Campus


@pytest.fixture
def seven(campus: Campus) -> list[str]:
    """Seven learners, with and without account by turns; their student IDs in the order of the list."""
    for number in range(7):
        factory = ProgramEnrollmentFactory if number % 2 else PreemptiveProgramEnrollmentFactory
        factory(curriculum=campus.curriculum, learner__student_key=f"S-{number}")
    return [f"S-{number}" for number in range(7)]


def keys(page: dict[str, Any]) -> list[str]:
    return [row["student_key"] for row in page["results"]]


def walk(caller: Caller, url: str, direction: str) -> list[list[str]]:
    pages = []
    following: str | None = url
    while following:
        page = caller.get(following).json()
        assert list(page) == ["next", "previous", "results"]
        pages.append(keys(page))
        following = page[direction]
    return pages


def test_pages_follow_each_other_there_and_back(campus: Campus, sis: Caller, seven: list[str]) -> None:
    first = f"/api/program_enrollments/v1/{campus.enrollments}?page_size=3"
    assert walk(sis, first, "next") == [seven[:3], seven[3:6], seven[6:]]

    last = sis.get(sis.get(sis.get(first).json()["next"]).json()["next"]).json()
    assert last["next"] is None
    assert walk(sis, last["previous"], "previous") == [seven[3:6], seven[:3]]


def test_neighbours_are_absolute_and_keep_the_query(campus: Campus, sis: Caller, seven: list[str]) -> None:
    query = {"page_size": 2, "student_key": seven, "status": "enrolled", "username": "ä&b"}
    page = sis.get(
        campus.enrollments, query=query, headers={"Host": "localhost:8443"}, environ={"wsgi.url_scheme": "https"}
    )
    following = urlsplit(page.json()["next"])
    assert (following.scheme, following.netloc) == ("https", "localhost:8443")
    assert following.path == f"/api/program_enrollments/v1/{campus.enrollments}"
    parameters = parse_qs(following.query)
    assert parameters.pop("cursor")
    assert parameters == {
        "page_size": ["2"],
        "student_key": seven,
        "status": ["enrolled"],
        "username": ["ä&b"],
    }


def test_neighbours_work_whatever_stands_in_the_path(campus: Campus, sis: Caller) -> None:
    CourseRunFactory(external_key="50% / ä?#", curricula=[campus.curriculum])
    for number in range(2):
        learner = LearnerFactory(school=campus.school, student_key=f"S-{number}")
        PreemptiveProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    path = f"{campus.path}courses/50%25%20%2F%20%C3%A4%3F%23/enrollments/"
    sis.post(path, [{"student_key": f"S-{number}", "status": "active"} for number in range(2)])

    url = f"/api/program_enrollments/v1/{path}?page_size=1"
    assert walk(sis, url, "next") == [["S-0"], ["S-1"]]


def test_rows_that_come_and_go_between_pages_leave_the_others_in_place(
    campus: Campus, sis: Caller, seven: list[str]
) -> None:
    page = sis.get(campus.enrollments, query={"page_size": 3}).json()
    PreemptiveProgramEnrollment.objects.filter(learner__student_key__in=["S-0", "S-2", "S-4"]).delete()
    PreemptiveProgramEnrollmentFactory(curriculum=campus.curriculum, learner__student_key="S-7")
    assert keys(sis.get(page["next"]).json()) == ["S-3", "S-5", "S-6"]


@pytest.mark.parametrize(
    ("page_size", "rows"),
    [
        ("2", 2),
        ("5", 5),
        ("05", 5),
        ("6", 5),
        ("1000000", 5),
        ("9" * 5000, 5),
        ("", 3),
        ("0", 3),
        ("000", 3),
        ("-1", 3),
        ("+2", 3),
        ("2.0", 3),
        ("1_0", 3),
        ("two", 3),
        ("٢", 3),
        ("2\x00", 3),
    ],
)
def test_page_sizes_are_clamped_and_nonsense_is_the_default(
    campus: Campus, sis: Caller, seven: list[str], app_settings: AppSettings, page_size: str, rows: int
) -> None:
    app_settings(PAGE_SIZE=3, MAX_PAGE_SIZE=5)
    assert len(sis.get(campus.enrollments, query={"page_size": page_size}).json()["results"]) == rows


def test_a_page_has_a_hundred_rows_unless_asked_otherwise(campus: Campus, sis: Caller) -> None:
    rows = [{"student_key": f"S-{number}", "status": "enrolled"} for number in range(101)]
    sis.post(campus.enrollments, rows)
    page = sis.get(campus.enrollments).json()
    assert len(page["results"]) == 100
    assert len(sis.get(page["next"]).json()["results"]) == 1


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "%00", "====", "eDE", "bi0x", "bi4", "ä", "x" * 5000, "bjk5OTk5OTk5OTk5OTk5OTk5OTk5OQ"],
)
def test_a_cursor_that_is_none_is_404(campus: Campus, sis: Caller, cursor: str) -> None:
    for path in (campus.enrollments, campus.course_enrollments, "programs/", f"{campus.path}courses/"):
        response = sis.get(path, query={"cursor": cursor})
        assert (response.status_code, response.json()["error_code"]) == (404, "bad_cursor"), path


def test_a_cursor_behind_the_end_gives_an_empty_page(campus: Campus, sis: Caller) -> None:
    sis.post(campus.enrollments, [{"student_key": f"S-{number}", "status": "enrolled"} for number in range(2)])
    page = sis.get(campus.enrollments, query={"page_size": 1}).json()
    PreemptiveProgramEnrollment.objects.all().delete()
    assert sis.get(page["next"]).json()["results"] == []


def test_an_empty_list_has_no_neighbours(campus: Campus, sis: Caller) -> None:
    assert sis.get(campus.enrollments).json() == {"next": None, "previous": None, "results": []}
