"""Templates: what two pages show alike stands in one file that both include."""

from __future__ import annotations

from pathlib import Path

import pytest

import program_enrollments

pytestmark = pytest.mark.once

TEMPLATES = Path(program_enrollments.__file__).parent / "templates" / "program_enrollments"
LONG = 140
"""Characters of a line of markup that is worth an include."""


def long_lines(name: str) -> set[str]:
    lines = (line.strip() for line in (TEMPLATES / name).read_text(encoding="utf-8").splitlines())
    return {line for line in lines if len(line) >= LONG}


def test_pages_of_files_and_of_student_ids_share_their_parts() -> None:
    shared = long_lines("console/file.html") & long_lines("console/rekey.html")

    assert shared == set()
