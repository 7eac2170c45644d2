"""Registrar gateways write while students register and sign on, each request in a transaction of its own.

The platform opens one around every request (ATOMIC_REQUESTS). Chunks must still commit on their own, and what follows a
sign-on must run after its commit: otherwise writers wait for each other, or see what is never committed.
"""

import random
import threading

import pytest
from common.djangoapps.student.models import CourseEnrollment
from django.db import connection, connections
from django.test import Client
from platform_stories import Gateway, add_run, compatible, program, register, row, sign_on

from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

__all__ = ["compatible", "program"]
pytestmark = pytest.mark.django_db(transaction=True)

STUDENTS = 16
ROUNDS = 3


def run_together(*works):
    """Run each of `works` in a thread with connections of its own, and fail with what any of them raised."""
    errors, start = [], threading.Barrier(len(works))

    def run(work):
        try:
            start.wait(timeout=60)
            work()
        except BaseException as error:  # noqa: BLE001  (a thread cannot raise into the test)
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert not any(thread.is_alive() for thread in threads), "a writer or a sign-on hangs"
    if errors:
        raise errors[0]


def write(gateway, program, course, numbers, seed):
    """Send the same desired state over and over, in another order each time, in parts of five rows."""
    order, numbers = random.Random(seed), list(numbers)
    for _ in range(ROUNDS):
        order.shuffle(numbers)
        for first in range(0, len(numbers), 5):
            keys = [f"S-{number}" for number in numbers[first : first + 5]]
            for path, status in (("", "enrolled"), (f"courses/{course}/", "active")):
                rows = [row(key, status) for key in keys]
                answer = gateway.send("PUT", f"programs/{program.uuid}/{path}enrollments/", rows)
                assert answer == (200, dict.fromkeys(keys, status))


def arrive(numbers, seed):
    """Register and sign on, one student after the other, each twice."""
    order, numbers = random.Random(seed), list(numbers)
    order.shuffle(numbers)
    for number in numbers:
        browser = Client()
        register(browser, f"student{number}")
        for _ in range(2):
            sign_on(browser, f"uni-idp:S-{number}")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="The platform runs on servers; SQLite refuses such requests.")
def test_nothing_is_lost_doubled_or_left_waiting(program):
    course = add_run(program, "audit", "masters")
    gateways = [Gateway(f"registrar{number}") for number in range(2)]
    numbers = range(STUDENTS)

    run_together(
        lambda: write(gateways[0], program, course, numbers, seed=1),
        lambda: write(gateways[1], program, course, numbers, seed=2),
        lambda: arrive(numbers[::2], seed=3),
        lambda: arrive(numbers[1::2], seed=4),
    )

    learners = Learner.objects.select_related("user")
    assert {learner.student_key: learner.user and learner.user.username for learner in learners} == {
        f"S-{number}": f"student{number}" for number in numbers
    }
    assert not learners.exclude(problem_code="").exists()
    assert not PreemptiveProgramEnrollment.objects.exists()
    assert not PreemptiveCourseEnrollment.objects.exists()
    assert ProgramEnrollment.objects.filter(status="enrolled").count() == STUDENTS
    assert ProgramCourseEnrollment.objects.filter(status="active").count() == STUDENTS
    seats = CourseEnrollment.objects.values_list("user__username", "mode", "is_active")
    assert sorted(seats) == sorted((f"student{number}", "masters", True) for number in numbers)
    positions = LedgerEntry.objects.filter(program=program).order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, len(positions) + 1))
