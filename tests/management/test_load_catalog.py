"""`load_catalog` from a CSV or JSON file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from program_enrollments.models import CourseRun, Curriculum, CurriculumCourseRun, Program
from tests.factories.discovery import discovery_curriculum, discovery_program, discovery_run
from tests.factories.enrollment import SchoolFactory

pytestmark = pytest.mark.django_db

P1, C1 = "11111111-1111-4111-8111-111111111111", "aaaaaaaa-1111-4111-8111-111111111111"
HEADER = "school,program_uuid,program_title,curriculum_uuid,course_id,course_title"
ROWS = [
    f"uni-a,{P1},Science,{C1},course-v1:UniA+CS1+2026,One",
    f"uni-a,{P1},Science,{C1},course-v1:UniA+CS2+2026,Two",
]


@pytest.fixture(autouse=True)
def uni_a() -> None:
    SchoolFactory(key="uni-a")


def load(path: Path, **options: Any) -> tuple[str, str, str | None]:
    """Return standard output, standard error, and the message of the failure."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("load_catalog", path, stdout=out, stderr=err, **options)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), None


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return path


def test_a_csv_file_is_taken_over_and_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "catalog.csv", *ROWS)

    out, err, error = load(path)
    assert out.splitlines() == [
        f"Science ({P1})",
        "  new program; curricula: 1, course runs: 2",
        "Programs: 1 new, 0 changed, 0 unchanged, 0 failed.",
    ]
    assert (err, error) == ("", None)
    assert set(CourseRun.objects.values_list("course_id", "title")) == {
        ("course-v1:UniA+CS1+2026", "One"),
        ("course-v1:UniA+CS2+2026", "Two"),
    }
    assert load(path)[0] == "Programs: 0 new, 0 changed, 1 unchanged, 0 failed.\n"


def test_external_keys_that_name_two_runs_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "catalog.csv"
    lines = [f"{HEADER},external_course_key", f"{ROWS[0]},CS-1", f"{ROWS[1]},CS-1"]
    path.write_text("\n".join(lines), encoding="utf-8")
    warning = (
        f"Science ({P1}): external key 'CS-1' is carried by course-v1:UniA+CS1+2026, course-v1:UniA+CS2+2026: "
        "calls must name these runs by their course keys\n"
    )

    for _ in range(2):
        _, err, error = load(path)
        assert (err, error) == (warning, None)
    assert load(path, verbosity=0) == ("", "", None)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    out, _, error = load(write(tmp_path / "catalog.csv", *ROWS), dry_run=True)
    assert "new program" in out
    assert error is None
    assert not Program.objects.exists()


def test_a_row_that_is_gone_takes_its_run_out_unless_the_file_is_partial(tmp_path: Path) -> None:
    load(write(tmp_path / "catalog.csv", *ROWS))
    shorter = write(tmp_path / "shorter.csv", ROWS[0])

    load(shorter, partial=True)
    assert CurriculumCourseRun.objects.count() == 2

    out, _, _ = load(shorter)
    assert f"curriculum {C1}: course-v1:UniA+CS2+2026 taken out" in out
    assert CurriculumCourseRun.objects.count() == 1


def test_bad_rows_are_reported_and_the_other_programs_go_on(tmp_path: Path) -> None:
    path = write(tmp_path / "catalog.csv", "uni-a,not-a-uuid,Arts,,,", *ROWS)
    out, err, error = load(path)
    assert "line 2: program_uuid is not a UUID: 'not-a-uuid'." in err
    assert error == "1 could not be taken over; see above."
    assert Program.objects.get().title == "Science"
    assert "Programs: 1 new, 0 changed, 0 unchanged, 1 failed." in out


def test_a_json_file_has_the_shape_of_discovery(tmp_path: Path, settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "DISCOVERY": {"SCHOOLS": {"UniA": "uni-a"}}}
    programs = [discovery_program(discovery_curriculum(discovery_run())), discovery_program()]
    page, bare = tmp_path / "page.json", tmp_path / "bare.JSON"
    page.write_text(json.dumps({"count": 2, "next": None, "results": programs}), encoding="utf-8")
    bare.write_text(json.dumps(programs), encoding="utf-8")

    assert load(page)[2] is None
    assert Curriculum.objects.get().course_runs.get().course_id == "course-v1:UniA+CS1+2026"
    assert load(bare)[0] == "Programs: 0 new, 0 changed, 2 unchanged, 0 failed.\n"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("catalog.json", b"{", "not JSON"),
        ("catalog.json", b"\xff", "not JSON"),
        ("catalog.json", b"[" * 100_000, "not JSON"),
        ("catalog.json", b"7", "neither a list of programs"),
        ("catalog.json", b"{}", "neither a list of programs"),
        ("catalog.csv", b"school\n", "lacks the columns"),
        ("catalog.xlsx", b"", "neither a .csv nor a .json file"),
        ("catalog.csv", None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    _, _, error = load(path)
    assert error is not None
    assert told in error
