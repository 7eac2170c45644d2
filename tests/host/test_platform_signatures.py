"""What the adapter for Open edX relies on: the stand-ins have it, drift is seen, and the page shows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from program_enrollments.host.openedx.comparison import compare, main
from program_enrollments.host.openedx.signatures import FILES
from tests.host.openedx_project import PLATFORM, ROOT

pytestmark = pytest.mark.once

SEATS = "common/djangoapps/student/models/course_enrollment.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PLATFORM, tmp_path / "platform"))


def change(checkout: Path, path: str, before: str, after: str) -> None:
    file = checkout / path
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def test_the_stand_ins_have_all_that_is_relied_on() -> None:
    compared = compare(PLATFORM)

    assert compared.differences == []
    assert compared.agreeing == sum(len(file.definitions) for file in FILES)


@pytest.mark.parametrize(
    ("path", "before", "after", "seen"),
    [
        (SEATS, "def unenroll(", "def leave(", "CourseEnrollment.unenroll: is missing"),
        (SEATS, "check_access=False, can_upgrade", "check_access=True, can_upgrade", "CourseEnrollment.enroll: is now"),
        (SEATS, "user, course_key, mode=None, check", "user, key, mode=None, check", "CourseEnrollment.enroll: is now"),
        (SEATS, "skip_refund=False, enterprise_uuid=None", "skip_refund=False, *, why", "update_enrollment: is now"),
        (
            SEATS,
            "def get_or_create_enrollment(cls, user, course_key)",
            "def get_or_create_enrollment(cls, user, course_key, why)",
            "needs why too",
        ),
        (SEATS, "raise EnrollmentNotAllowed", "raise ValueError", "no longer mentions EnrollmentNotAllowed"),
        (
            SEATS,
            "class EnrollmentNotAllowed(CourseEnrollmentException)",
            "class EnrollmentNotAllowed(Exception)",
            "is no CourseEnrollmentException any more",
        ),
        (
            SEATS,
            "is_active = models.BooleanField(default=True)",
            "is_active = models.BooleanField(default=False)",
            "has lost default=True",
        ),
        (
            SEATS,
            "mode = models.CharField(",
            "mode = models.TextField(",
            "CourseEnrollment.mode: is now models.TextField",
        ),
        (
            "common/djangoapps/student/roles.py",
            'ROLE = "staff"',
            'ROLE = "course_staff"',
            "ROLE: is now 'course_staff'",
        ),
        (
            "common/djangoapps/student/models/user.py",
            'related_name="profile"',
            'related_name="person"',
            "UserProfile.user: has lost related_name='profile'",
        ),
        ("common/djangoapps/student/signals/signals.py", "UNENROLL_DONE = Signal()", "", "UNENROLL_DONE: is missing"),
    ],
)
def test_drift_is_seen(
    checkout: Path, capsys: pytest.CaptureFixture[str], path: str, before: str, after: str, seen: str
) -> None:
    change(checkout, path, before, after)

    assert main([str(checkout)]) == 1
    assert seen in capsys.readouterr().out


def test_a_further_parameter_with_a_default_is_no_drift(checkout: Path) -> None:
    change(
        checkout, SEATS, "enterprise_uuid=None):\n        try", "enterprise_uuid=None, why=None, **more):\n        try"
    )

    assert compare(checkout).differences == []


def test_a_definition_below_a_condition_is_found(checkout: Path) -> None:
    signals = "common/djangoapps/student/signals/signals.py"
    change(checkout, signals, "UNENROLL_DONE = Signal()", "if True:\n    UNENROLL_DONE = Signal()")

    assert compare(checkout).differences == []


def test_a_missing_file_is_drift_and_a_missing_package_is_told(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "completion" / "models.py").unlink()
    assert main([str(checkout)]) == 0
    assert "not compared: completion/models.py: look at the package edx-completion" in capsys.readouterr().out

    (checkout / SEATS).unlink()
    assert main([str(checkout)]) == 1
    assert f"{SEATS}: there is no such file" in capsys.readouterr().out


def test_the_makefiles_command_needs_no_settings_of_the_operators() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (line,) = (line.strip() for line in makefile.splitlines() if "host.openedx.comparison" in line)
    command = line.replace("$(BIN)/python", sys.executable).replace("$(PLATFORM)", str(PLATFORM))
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "definitions agree, 0 differ." in ran.stdout


def test_the_page_shows_the_table() -> None:
    # The page breaks its lines where it likes.
    page = " ".join((ROOT / "docs" / "openedx.rst").read_text("utf-8").split())
    parts = [rendered(number) for number in range(len(FILES))]
    missing = [part for part in parts if " ".join(part.split()) not in page]

    assert missing == [], "Put this into docs/openedx.rst:\n\n" + "\n".join(map(rendered, range(len(FILES))))


def rendered(number: int) -> str:
    """Return one file's part of the table, as the page has it."""
    file = FILES[number]
    where = f" of {file.package}" if file.package else ""
    lines = [f"``{file.path}``{where} (``{file.commit[:12]}``)", ""]
    for name, form, used_for, mentions in file.definitions:
        with_mentions = f", with {', '.join(f'``{each}``' for each in mentions)}" if mentions else ""
        lines.append(f"- ``{name}``: ``{form}``{with_mentions}. For: {used_for}.")
    return "\n".join([*lines, ""])
