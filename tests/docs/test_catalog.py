"""What docs/catalog.rst shows works as it stands."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from program_enrollments.catalog_sources import csv_file
from program_enrollments.catalog_sources.discovery import read_connection
from program_enrollments.models import CourseRun, Curriculum, Program
from tests.docs.snippets import ROOT, code_blocks
from tests.factories.enrollment import SchoolFactory

PAGE = "docs/catalog.rst"


@pytest.mark.django_db
def test_the_csv_file_is_taken_over(tmp_path: Path) -> None:
    [table] = code_blocks(PAGE, "text")
    path = tmp_path / "catalog.csv"
    path.write_text(table, encoding="utf-8")
    SchoolFactory(key="uni-a")

    call_command("load_catalog", path, stdout=io.StringIO())

    assert set(Program.objects.values_list("key", "title")) == {
        ("msc-science", "Master of Science"),
        ("msc-arts", "Master of Arts"),
    }
    assert set(Curriculum.objects.get().course_runs.values_list("external_key", flat=True)) == {
        "CS101-W26",
        "CS102-W26",
    }
    assert not CourseRun.objects.filter(start=None).exists()


def test_the_columns_are_those_that_are_read() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    _, _, after_heading = page.partition("\nColumns\n")
    _, _header, rows, *_ = re.split(r"^=+  =+$", after_heading, flags=re.MULTILINE)
    assert set(re.findall(r"^``(\w+)``", rows, re.MULTILINE)) == set(csv_file.COLUMNS)


def test_the_settings_are_understood(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    [snippet] = code_blocks(PAGE, "python")
    given: dict[str, Any] = {"os": SimpleNamespace(environ={"DISCOVERY_CLIENT_SECRET": "secret"})}
    exec(snippet, given)
    settings.PROGRAM_ENROLLMENTS = given["PROGRAM_ENROLLMENTS"]

    connection = read_connection()

    assert connection.schools == {"UniA": "uni-a", "PartnerX": None}
    defaults = {
        "TYPES": list(connection.types),
        "TIMEOUT_SECONDS": f"{connection.timeout_seconds:g}",
        "RETRIES": connection.retries,
        "BACKOFF_SECONDS": f"{connection.backoff_seconds:g}",
    }
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for name, value in defaults.items():
        documented = re.search(rf"^``{name}`` +``(.+?)``  ", text, re.MULTILINE)
        assert documented is not None, name
        assert documented[1].replace('"', "'") == str(value), name
