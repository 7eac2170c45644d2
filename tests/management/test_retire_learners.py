"""`retire_learners` as an operator sees it; what it removes is in tests/api/support/test_retirement.py."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from program_enrollments.models import Learner, LedgerEntry
from tests.factories.enrollment import LearnerFactory, LinkedLearnerFactory

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db


def retire(*arguments: object) -> tuple[str, str, str]:
    """Return standard output, standard error, and the message of the failure, "" if there is none."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("retire_learners", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def is_retired(learner: Learner) -> bool:
    learner.refresh_from_db()
    return learner.retired_at is not None


def test_by_learner() -> None:
    one, two, other = LearnerFactory.create_batch(3)

    out, err, failure = retire(one.pk, two.pk)

    assert out == f"Learner {one.pk} was retired.\nLearner {two.pk} was retired.\n"
    assert (err, failure) == ("", "")
    assert [is_retired(learner) for learner in (one, two, other)] == [True, True, False]


def test_by_school_and_student_id_or_address() -> None:
    one = LearnerFactory(school__key="uni-a", student_key="S-1")
    two = LearnerFactory(school=one.school, student_key="", email="ann@uni-a.example")
    other = LearnerFactory(school__key="uni-b", student_key="S-1")

    retire("--school", "uni-a", "--student-key", "s-1", "--email", "ANN@uni-a.example")

    assert [is_retired(learner) for learner in (one, two, other)] == [True, True, False]


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_progress_bar() -> None:
    learners = LearnerFactory.create_batch(3)
    err = Terminal()

    call_command("retire_learners", *(str(one.pk) for one in learners), stdout=io.StringIO(), stderr=err)

    assert "3/3" in err.getvalue()
    assert "learners" in err.getvalue()
    assert retire(LearnerFactory().pk)[1] == ""


def test_by_account() -> None:
    learner = LinkedLearnerFactory()

    retire("--user", learner.user_id)

    assert is_retired(learner)


def test_the_reason_is_kept() -> None:
    retire(LearnerFactory().pk, "--reason", "Request 4711")

    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.source, entry.reason) == ("retired", "command", "Request 4711")


def test_again_says_that_it_was_done_before() -> None:
    learner = LearnerFactory()
    retire(learner.pk)

    assert retire(learner.pk) == (f"Learner {learner.pk} had been retired before.\n", "", "")


def test_who_is_not_found_is_a_failure_and_the_others_are_retired() -> None:
    learner = LearnerFactory()

    _, err, failure = retire(learner.pk, learner.pk + 1)

    assert err == "1 of those named were not found. If an account is not linked now, name the learner.\n"
    assert failure == "Not everybody was retired."
    assert is_retired(learner)


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        ([], "Say who: by learner ID, --user, or --school with --student-key or --email."),
        (
            ["--student-key", "S-1"],
            "Give --school together with --student-key or --email: both name somebody at a school.",
        ),
        (
            ["1", "--school", "uni-a"],
            "Give --school together with --student-key or --email: both name somebody at a school.",
        ),
        (["1", "--reason", "x" * 501], "A reason can have 500 characters."),
        (
            ["S-1"],
            "Error: argument LEARNER: this is not an ID as it stands in admin; student IDs go with --student-key",
        ),
        (["0"], "Error: argument LEARNER: this is not an ID as it stands in admin; student IDs go with --student-key"),
        (
            ["9" * 30],
            "Error: argument LEARNER: this is not an ID as it stands in admin; student IDs go with --student-key",
        ),
    ],
)
def test_who_is_meant_must_be_clear(arguments: list[str], failure: str) -> None:
    assert retire(*arguments)[2] == failure


# Refused before the database is asked.
@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [
        ["S-7001"],
        ["--user", "S-7001"],
        ["1", "--studentkey", "S-7001"],
        ["--student-key", "S-7001"],
        ["--school", "uni-a", "--student-key", "S-7001", "--reason", "x" * 501],
    ],
)
def test_a_mistyped_command_repeats_no_student_id(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "demo_lms/manage.py", "retire_learners", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "test_settings", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "S-7001" not in run.stdout + run.stderr
