"""Lists as CSV files: what is in them, that they go back in, and what becomes of one that breaks off."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext
from pytest_django.live_server_helper import LiveServer

from demo_lms.host import DemoGrades, DemoHost
from program_enrollments import api
from program_enrollments.data import Grade, GradeUnavailable, Origin, Source
from program_enrollments.exceptions import HostError, InvalidFile
from program_enrollments.models import CourseRun, Learner, LedgerEntry, PreemptiveCourseEnrollment
from program_enrollments.rest_api.exports import BROKEN_OFF, ExportInterrupted
from program_enrollments.tabular_files import open_table, output
from tests.factories.enrollment import (
    CourseRunFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import CourseGradeFactory, UserFactory
from tests.rest_api.callers import ROOT, AppSettings, Caller, Campus

CSV = {"format": "csv"}
PROGRAM_HEADER = ["student_key", "email", "status", "curriculum_uuid", "account_exists", "username"]
COURSE_HEADER = [
    "course_id",
    "student_key",
    "email",
    "status",
    "course_staff",
    "account_exists",
    "curriculum_uuid",
]
ORIGIN = Origin(source=Source.API.value, reason="End of term")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a few rows are as long ones are: written in several blocks."""
    monkeypatch.setattr(output, "ROWS_PER_BLOCK", 2)


def rows_of(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(response.getvalue().decode(), newline="")))


def export(caller: Caller, path: str, **query: Any) -> list[list[str]]:
    return rows_of(caller.get(path, query={**CSV, **query}))


def link(campus: Campus, **values: Any) -> Learner:
    """A learner of the program and of its course run, with an account."""
    learner: Learner = LinkedLearnerFactory(school=campus.school, **values)
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    ProgramCourseEnrollmentFactory(program=campus.program, course_run=campus.course_run, learner=learner)
    return learner


class TestProgramEnrollments:
    def test_a_file_has_the_columns_of_uploads_and_what_the_school_said(self, campus: Campus, sis: Caller) -> None:
        uuid = str(campus.curriculum.uuid)
        sis.put(campus.enrollments, [{"student_key": "S-1", "email": "s1@uni.example", "status": "enrolled"}])
        sis.put(campus.enrollments, [{"email": "ann@uni.example", "status": "pending"}])
        sis.put(campus.enrollments, [{"student_key": '=1,"é"', "status": "ended"}])
        link(
            campus, student_key="S-4", email="s4@uni.example", user=UserFactory(username="dora", email="d@home.example")
        )

        response = sis.get(campus.enrollments, query=CSV)

        assert response["Content-Disposition"] == 'attachment; filename="program-enrollments.csv"'
        assert rows_of(response) == [
            PROGRAM_HEADER,
            ["S-1", "s1@uni.example", "enrolled", uuid, "false", ""],
            ["ann@uni.example", "ann@uni.example", "pending", uuid, "false", ""],
            ['\'=1,"é"', "", "ended", uuid, "false", ""],
            ["S-4", "s4@uni.example", "enrolled", uuid, "true", "dora"],
        ]
        accepted = sis.get(campus.enrollments, headers={"Accept": "text/csv"})
        assert accepted.content == response.content

    def test_filters_select_what_is_in_it(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": f"S-{n}", "status": "enrolled"} for n in range(3)])
        sis.put(campus.enrollments, [{"student_key": "S-3", "status": "ended"}])
        link(campus, student_key="S-4")

        def keys(**query: Any) -> list[str]:
            return [row[0] for row in export(sis, campus.enrollments, **query)[1:]]

        assert keys(status="ended") == ["S-3"]
        assert keys(account_exists="true") == ["S-4"]
        assert keys(student_key=["s-1", "S-4", "S-9"]) == ["S-1", "S-4"]
        assert keys(modified_since="2999-01-01T00:00:00Z") == []

    @pytest.mark.usefixtures("small_blocks")
    def test_a_long_one_is_streamed_a_page_at_a_time(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": f"S-{n:02}", "status": "enrolled"} for n in range(30)])

        def statements(page_size: int) -> int:
            with CaptureQueriesContext(connection) as captured:
                response = sis.get(campus.enrollments, query={**CSV, "page_size": page_size})
                assert isinstance(response, StreamingHttpResponse)
                assert [row[0] for row in rows_of(response)[1:]] == [f"S-{n:02}" for n in range(30)]
            return len(captured)

        # Two more for each page more.
        assert statements(10) - statements(30) == 2 * 2
        assert statements(5) - statements(30) == 2 * 5

    @pytest.mark.usefixtures("small_blocks")
    def test_pages_are_read_as_they_are_sent(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": f"S-{n:02}", "status": "enrolled"} for n in range(30)])
        with CaptureQueriesContext(connection) as captured:
            response = sis.get(campus.enrollments, query={**CSV, "page_size": 5})
            before = len(captured)
            list(islice(response.streaming_content, 4))
            assert len(captured) < before + 3
        response.close()

    def test_a_learner_who_gets_an_account_meanwhile_is_in_it_once(
        self, campus: Campus, sis: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(output, "ROWS_PER_BLOCK", 1)
        sis.put(campus.enrollments, [{"student_key": f"S-{n}", "status": "enrolled"} for n in range(6)])
        response = sis.get(campus.enrollments, query={**CSV, "page_size": 1})
        sent = list(islice(response.streaming_content, 3))

        for key in ("S-0", "S-5"):
            learner = Learner.objects.get(student_key=key)
            api.link_learner(learner_id=learner.pk, user_id=UserFactory().pk, origin=ORIGIN)

        text = b"".join([*sent, *response.streaming_content]).decode()
        assert [row[0] for row in csv.reader(text.splitlines())][1:] == [f"S-{n}" for n in range(6)]

    def test_a_retired_person_is_in_none(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": "S-1", "email": "s1@uni.example", "status": "enrolled"}])
        api.retire_learners(persons=api.Persons(student_keys=["S-1"], school_key="uni-a"), origin=ORIGIN)

        for path in (campus.enrollments, f"{campus.path}changes/"):
            text = sis.get(path, query=CSV).content.decode()
            assert "S-1" not in text
            assert "s1@uni.example" not in text


class TestCourseEnrollments:
    @pytest.fixture
    def runs(self, campus: Campus, sis: Caller) -> list[CourseRun]:
        """Three runs of the program: learners in the first and the third, with accounts and without."""
        runs: list[CourseRun] = [
            campus.course_run,
            *(CourseRunFactory(curricula=[campus.curriculum]) for _ in range(2)),
        ]
        sis.put(campus.enrollments, [{"student_key": f"S-{n}", "status": "enrolled"} for n in range(4)])
        link(campus, student_key="S-9", email="s9@uni.example", user=UserFactory(username="nine"))
        for run, rows in (
            (runs[0], [{"student_key": "S-0", "status": "active", "course_staff": True}]),
            (runs[2], [{"student_key": f"S-{n}", "status": "inactive" if n == 2 else "active"} for n in range(4)]),
            (runs[2], [{"student_key": "S-9", "status": "active"}]),
        ):
            sis.put(f"{campus.path}courses/{run.course_id}/enrollments/", rows)
        return runs

    def test_a_file_of_one_run(self, campus: Campus, sis: Caller, runs: list[CourseRun]) -> None:
        first, uuid = runs[0].course_id, str(campus.curriculum.uuid)
        assert export(sis, campus.course_enrollments) == [
            COURSE_HEADER,
            [first, "S-0", "", "active", "true", "false", uuid],
            [first, "S-9", "s9@uni.example", "active", "false", "true", uuid],
        ]

    def test_a_file_of_all_runs_and_the_list(self, campus: Campus, sis: Caller, runs: list[CourseRun]) -> None:
        first, _, third = (run.course_id for run in runs)
        expected = [
            (first, "S-0", "active"),
            (first, "S-9", "active"),
            (third, "S-0", "active"),
            (third, "S-1", "active"),
            (third, "S-2", "inactive"),
            (third, "S-3", "active"),
            (third, "S-9", "active"),
        ]
        exported = export(sis, f"{campus.path}course_enrollments/")
        assert exported[0] == COURSE_HEADER
        assert [(row[0], row[1], row[3]) for row in exported[1:]] == expected
        listed = sis.get(f"{campus.path}course_enrollments/").json()["results"]
        assert [(row["course_id"], row["student_key"], row["status"]) for row in listed] == expected
        assert listed[0] == {
            "course_id": first,
            "student_key": "S-0",
            "status": "active",
            "account_exists": False,
            "curriculum_uuid": str(campus.curriculum.uuid),
            "course_staff": True,
        }

    @pytest.mark.parametrize("page_size", [1, 2, 3, 6, 7, 8])
    def test_the_list_of_all_runs_is_the_same_in_pages_of_any_size_and_backwards(
        self, campus: Campus, sis: Caller, runs: list[CourseRun], page_size: int
    ) -> None:
        def pages(direction: str, path: str) -> Iterator[list[Any]]:
            while path:
                page = sis.get(path, query=None if "?" in path else {"page_size": page_size}).json()
                yield page["results"]
                last.append(path)
                path = page[direction]

        last: list[str] = []
        path = f"{campus.path}course_enrollments/"
        forwards = list(pages("next", path))
        whole = sis.get(path).json()["results"]
        assert [row for page in forwards for row in page] == whole
        backwards = list(pages("previous", last[-1]))
        assert [row for page in reversed(backwards) for row in page] == whole

    def test_filters_select_in_all_runs(self, campus: Campus, sis: Caller, runs: list[CourseRun]) -> None:
        def selected(**query: Any) -> list[tuple[str, str]]:
            rows = export(sis, f"{campus.path}course_enrollments/", **query)[1:]
            listed = sis.get(f"{campus.path}course_enrollments/", query=query).json()["results"]
            assert [row[:2] for row in rows] == [[row["course_id"], row["student_key"]] for row in listed]
            return [(row[0], row[1]) for row in rows]

        first, _, third = (run.course_id for run in runs)
        assert selected(status="inactive") == [(third, "S-2")]
        assert selected(account_exists="true") == [(first, "S-9"), (third, "S-9")]
        assert selected(student_key=["S-0", "S-1"]) == [(first, "S-0"), (third, "S-0"), (third, "S-1")]
        assert selected(modified_since="2999-01-01T00:00:00Z") == []

    def test_neither_another_programs_enrollments_nor_a_cursor_of_another_list_is_let_in(
        self, campus: Campus, sis: Caller, runs: list[CourseRun]
    ) -> None:
        PreemptiveCourseEnrollmentFactory(course_run=runs[0])
        assert PreemptiveCourseEnrollment.objects.exclude(program=campus.program).count() == 1
        assert len(sis.get(f"{campus.path}course_enrollments/").json()["results"]) == 7
        cursor = sis.get(f"{campus.path}course_enrollments/", query={"page_size": 1}).json()["next"].rpartition("=")[2]
        response = sis.get(campus.course_enrollments, query={"cursor": cursor})
        assert (response.status_code, response.json()["error_code"]) == (404, "bad_cursor")

    def test_a_page_of_all_runs_costs_the_same_however_many_runs_there_are(
        self, campus: Campus, sis: Caller, runs: list[CourseRun]
    ) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert sis.get(second).status_code == 200
            return len(captured)

        second = sis.get(f"{campus.path}course_enrollments/", query={"page_size": 5}).json()["next"]
        before = statements()
        for _ in range(10):
            run = CourseRunFactory(curricula=[campus.curriculum])
            sis.put(f"{campus.path}courses/{run.course_id}/enrollments/", [{"student_key": "S-1", "status": "active"}])
        second = second.replace("page_size=5", "page_size=20")
        assert statements() == before


class TestGoingBackIn:
    """An export, sent back row by row, changes nothing and adds nothing to the ledger."""

    @pytest.fixture
    def lived_in(self, campus: Campus, sis: Caller) -> None:
        sis.put(
            campus.enrollments,
            [
                {"student_key": "S-1", "email": "s1@uni.example", "status": "enrolled"},
                {"email": "Ann@uni.example", "status": "pending"},
                {"student_key": "'=1", "status": "suspended"},
                {"student_key": "0012", "status": "canceled"},
            ],
        )
        named = link(campus, student_key="S-7", user=UserFactory(email="private@home.example"))
        link(campus, student_key="", email="eve@uni.example", user=UserFactory(email="other@home.example"))
        rows = [
            {"student_key": "S-1", "status": "active", "course_staff": True},
            {"student_key": "ann@uni.example", "status": "inactive"},
            {"student_key": named.student_key, "status": "active", "course_staff": True},
        ]
        sis.put(campus.course_enrollments, rows)

    @pytest.mark.usefixtures("lived_in")
    def test_of_program_and_course_enrollments(self, campus: Campus, sis: Caller) -> None:
        entries = LedgerEntry.objects.count()
        for path, columns in (
            (campus.enrollments, ("student_key", "email", "status", "curriculum_uuid")),
            (campus.course_enrollments, ("student_key", "email", "status", "course_staff")),
        ):
            file = io.BytesIO(sis.get(path, query=CSV).getvalue())
            table = open_table(file=file, columns=columns, required=columns)
            rows = [dict(zip(columns, record.cells, strict=True)) for record in table.records()]
            assert len(rows) >= 4
            for row in rows:
                # As uploads read them: blank is not given, and an address is no student ID.
                if row["student_key"] == row["email"]:
                    del row["student_key"]
            sent = [{name: value for name, value in row.items() if value} for row in rows]
            answer = sis.put(path, sent, query={"detail": "true"})
            assert answer.status_code == 200, answer.json()
            assert [row["word"] for row in answer.json() if row["changed"]] == []
        assert LedgerEntry.objects.count() == entries

    def test_learners_whose_own_id_is_gone_are_refused_and_left_as_they_are(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": f"S-{n}", "status": "enrolled"} for n in range(2)])
        api.retire_learners(persons=api.Persons(student_keys=["S-0"], school_key="uni-a"), origin=ORIGIN)
        api.release_student_keys(school=campus.school, student_keys=["S-1"], origin=ORIGIN)
        _, *rows = export(sis, campus.enrollments)
        assert sorted(row[0].partition("-")[0] for row in rows) == ["released", "retired"]
        answer = sis.put(campus.enrollments, [{"student_key": row[0], "status": row[2]} for row in rows])
        assert set(answer.json().values()) == {"invalid-identity"}
        assert export(sis, campus.enrollments)[1:] == rows


class TestReports:
    def test_grades_live_and_frozen(self, campus: Campus, sis: Caller) -> None:
        learner = link(campus, student_key="S-1")
        link(campus, student_key="@2")
        CourseGradeFactory(
            user=learner.user,
            course_run_id=campus.course_run.course_id,
            percent=Decimal("0.925"),
            letter="-",
            passed=True,
        )
        live = export(sis, f"{campus.course_path}grades/")
        assert live == [
            ["student_key", "letter_grade", "percent", "passed", "error"],
            ["S-1", "'-", "0.925", "true", ""],
            ["'@2", "", "", "", "There is no grade for this learner yet."],
        ]
        api.freeze_grades(program=campus.program, course_run=campus.course_run, origin=ORIGIN)
        assert sorted(export(sis, f"{campus.course_path}grades/")) == sorted(live)
        assert sorted(export(sis, f"{campus.course_path}grades/freezes/1/")) == sorted(live)

    def test_attendance(self, campus: Campus, sis: Caller) -> None:
        link(campus, student_key="S-1")
        assert export(sis, f"{campus.course_path}attendance/", since="2026-01-01") == [
            ["student_key", "first_attended", "last_attended", "days_attended", "completion", "error"],
            ["S-1", "", "", "0", "", ""],
        ]

    def test_changes_from_a_cursor_on(self, campus: Campus, sis: Caller) -> None:
        sis.put(campus.enrollments, [{"student_key": "S-1", "status": "enrolled"}])
        cursor = sis.get(f"{campus.path}changes/").json()["cursor"]
        sis.put(campus.enrollments, [{"student_key": "S-1", "status": "ended"}])

        header, *rows = export(sis, f"{campus.path}changes/", after=cursor)

        (entry,) = sis.get(f"{campus.path}changes/", query={"after": cursor}).json()["results"]
        assert header == list(entry)
        assert rows == [["" if value is None else str(value) for value in entry.values()]]
        assert len(export(sis, f"{campus.path}changes/", page_size=1)) == 3
        assert sis.get(f"{campus.path}changes/", query={**CSV, "after": "x"}).status_code == 404


class TestRefusals:
    @pytest.mark.parametrize("query", [{"cursor": "bjQy"}, {"status": "x"}, {"x": "1"}])
    def test_what_no_file_can_be_made_from(self, campus: Campus, sis: Caller, query: dict[str, str]) -> None:
        for path in (campus.enrollments, campus.course_enrollments, f"{campus.path}course_enrollments/"):
            response = sis.get(path, query={**CSV, **query})
            assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")
            assert response["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("small_blocks")
class TestBreakingOff:
    """Grades that are frozen while they are sent: two halves of different lists must not look like one."""

    @pytest.fixture
    def path(self, campus: Campus) -> str:
        for number in range(10):
            link(campus, student_key=f"S-{number}")
        return f"{campus.course_path}grades/"

    def freeze(self, campus: Campus) -> None:
        api.freeze_grades(program=campus.program, course_run=campus.course_run, origin=ORIGIN)

    def test_the_last_line_says_so_and_the_connection_ends(self, campus: Campus, sis: Caller, path: str) -> None:
        response = sis.get(path, query={**CSV, "page_size": 2})
        content = response.streaming_content
        sent = [next(content), next(content)]
        self.freeze(campus)

        with pytest.raises(ExportInterrupted) as failure:
            sent.extend(content)

        assert sent[-1] == BROKEN_OFF
        assert failure.value.__cause__ is None
        assert failure.value.__suppress_context__
        columns = ("student_key", "error")
        with pytest.raises(InvalidFile, match="never closed"):
            list(open_table(file=io.BytesIO(b"".join(sent)), columns=columns, required=columns).records())

    def test_a_client_that_stops_reading_breaks_nothing(self, sis: Caller, path: str) -> None:
        response = sis.get(path, query={**CSV, "page_size": 2})
        next(response.streaming_content)
        response.close()


class HalfwayGrades(DemoGrades):
    """Answers for the first students, and then no more."""

    def fetch_grades(self, *, course_id: str, user_ids: Collection[int]) -> Mapping[int, Grade | GradeUnavailable]:
        if get_user_model().objects.filter(pk__in=user_ids, username="last").exists():
            raise HostError("The grades of S-9 are being moved.")
        return super().fetch_grades(course_id=course_id, user_ids=user_ids)


class HalfwayHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.grades = HalfwayGrades()


class TestAPlatformThatGoesDown:
    @pytest.fixture
    def path(self, campus: Campus, app_settings: AppSettings) -> str:
        for number in range(9):
            link(campus, student_key=f"S-{number}")
        link(campus, student_key="S-9", user=UserFactory(username="last"))
        app_settings(HOST=f"{__name__}.HalfwayHost")
        return f"{campus.course_path}grades/"

    def test_before_anything_was_sent_it_is_a_problem_document(self, sis: Caller, path: str) -> None:
        response = sis.get(path, query=CSV)
        assert (response.status_code, response.json()["error_code"]) == (503, "host_unavailable")

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.usefixtures("small_blocks")
    def test_later_it_is_a_last_line_also_from_a_server_that_ends_all_answers_alike(
        self, live_server: LiveServer, sis: Caller, path: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        request = Request(f"{live_server.url}{ROOT}{path}?format=csv&page_size=2", headers=sis.headers)
        with urlopen(request) as response:
            lines = response.read().splitlines(keepends=True)
        assert [line.partition(b",")[0] for line in lines[:-1]] == [b"student_key", *(b"S-%d" % n for n in range(8))]
        assert lines[-1] == BROKEN_OFF
        assert "An export broke off: HostError at" in caplog.text
        assert "S-9" not in caplog.text
