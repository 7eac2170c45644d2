"""`sweep_enrollments` as an operator and a timer see it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from program_enrollments.data import LearnerProblem
from program_enrollments.models import Learner, ProgramEnrollment
from tests.factories.enrollment import (
    CourseRunFactory,
    IdentityProviderFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    UserSocialAuthFactory,
)

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def sweep(*, err: io.StringIO | None = None, **options: Any) -> tuple[str, str, tuple[int, str]]:
    """Return standard output, standard error, and the exit status with its message."""
    out, err = io.StringIO(), err or io.StringIO()
    try:
        call_command("sweep_enrollments", stdout=out, stderr=err, **options)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), (error.returncode, str(error))
    return out.getvalue(), err.getvalue(), (0, "")


def student_who_signed_on() -> Learner:
    provider = IdentityProviderFactory()
    learner = LearnerFactory(school=provider.school, student_key="S-4711")
    PreemptiveProgramEnrollmentFactory(learner=learner, curriculum__program__school=provider.school)
    UserSocialAuthFactory(uid=f"{provider.slug}:S-4711")
    return learner


def test_nothing_to_do_is_clean() -> None:
    out, err, (status, _) = sweep()

    assert out == (
        "Learners to be linked or realized: 0. Linked: 0. Made real: program enrollments 0, course enrollments 0.\n"
    )
    assert (err, status) == ("", 0)


def test_says_what_it_did_without_naming_anybody() -> None:
    learner = student_who_signed_on()

    out, err, (status, _) = sweep()

    learner.refresh_from_db()
    assert learner.user is not None
    assert out == (
        "Learners to be linked or realized: 1. Linked: 1. Made real: program enrollments 1, course enrollments 0.\n"
    )
    assert (err, status) == ("", 0)


def test_a_dry_run_does_nothing_and_is_clean() -> None:
    student_who_signed_on()

    out, _, (status, _) = sweep(dry_run=True)

    assert out == "Dry run, nothing was written. Learners to be linked or realized: 1.\n"
    assert status == 0
    assert not ProgramEnrollment.objects.exists()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_learner_who_needs_a_person_is_exit_status_1(dry_run: bool) -> None:
    LearnerFactory(problem_code=LearnerProblem.CONFLICT)

    _, _, failure = sweep(dry_run=dry_run)

    assert failure == (
        1,
        "Not all is well. There are learners who need a person: 1 (in admin: Learners, filter by problem).",
    )


def test_a_refusal_is_exit_status_1_with_the_place_to_look() -> None:
    PreemptiveCourseEnrollmentFactory(learner=LinkedLearnerFactory(), course_run=CourseRunFactory(in_host=False))

    _, _, (status, message) = sweep()

    assert status == 1
    assert "course enrollments that the learning platform did not accept: 1 (in admin" in message


def test_silent_when_asked_to_be_but_no_less_honest() -> None:
    LearnerFactory(problem_code=LearnerProblem.CONFLICT)

    out, err, (status, _) = sweep(verbosity=0, err=Terminal())

    assert (out, err, status) == ("", "", 1)


def test_a_terminal_gets_a_progress_bar_and_a_log_file_does_not() -> None:
    student_who_signed_on()

    assert "1/1" in sweep(err=Terminal(), dry_run=True)[1]
    assert sweep(dry_run=True)[1] == ""


class TerminalWithCtrlC(Terminal):
    """A terminal at which somebody presses Ctrl-C as soon as the bar moves."""

    pressed = False

    def write(self, text: str) -> int:
        if "1/1" in text and not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return super().write(text)


def test_ctrl_c_says_that_what_was_done_stays() -> None:
    learner = student_who_signed_on()

    _, _, failure = sweep(err=TerminalWithCtrlC())

    assert failure == (130, "Stopped. What was done stays done; run the command again to do the rest.")
    learner.refresh_from_db()
    assert learner.user is not None
