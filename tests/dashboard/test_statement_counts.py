"""What pages cost in statements: the same for one program as for many, and whatever else the tables hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from program_enrollments.models import Program, School
from tests.dashboard.conftest import Student, enroll, learn, open_program
from tests.dashboard.test_host_ports import BareHost
from tests.factories.enrollment import SchoolFactory
from tests.factories.host import ConfirmedUserFactory

SESSION_AND_ACCOUNT = 2
OWN = 8
"""Learners, programs, course enrollments, refused ones, the plan of study, the ledger, claims, the address."""
PORTS = 6


def cost(student: Student, name: str, *args: Any) -> int:
    address = reverse(f"dashboard:{name}", args=args)
    student.client.get(address)  # what is looked up once a process
    with CaptureQueriesContext(connection) as context:
        assert student.client.get(address).status_code == 200
    # Savepoints are the test's: outside of its transaction there are none.
    return sum("SAVEPOINT" not in query["sql"] for query in context.captured_queries)


def test_pages_cost_the_same_at_any_size(student: Student, program: Program, school: School) -> None:
    enroll(student.user, program)
    learn(student.user, program)
    pages: list[tuple[str, tuple[Any, ...]]] = [("all", ()), ("program", (program.uuid,)), ("own-data", ())]
    few = [cost(student, name, *args) for name, args in pages]

    for number in range(6):
        other = open_program(school if number % 2 else SchoolFactory(), title=f"Program {number}")
        enroll(student.user, other, refused=number == 2)
        learn(student.user, other)
    for number in range(10):
        enroll(ConfirmedUserFactory(), program, key=f"N-{number}")

    assert [cost(student, name, *args) for name, args in pages] == few
    assert max(few) <= SESSION_AND_ACCOUNT + OWN + PORTS


def test_a_host_without_optional_ports_costs_less(
    student: Student, program: Program, without: Callable[[type], None]
) -> None:
    enroll(student.user, program)
    without(BareHost)
    assert cost(student, "all") <= SESSION_AND_ACCOUNT + OWN


@pytest.mark.django_db
def test_the_fragment_costs_what_the_page_costs(student: Student, program: Program) -> None:
    enroll(student.user, program)
    student.client.get("/dashboard/")
    with CaptureQueriesContext(connection) as context:
        student.client.get("/dashboard/")
    few = len(context.captured_queries)
    for number in range(3):
        enroll(student.user, open_program(program.school, title=f"Program {number}"))
    with CaptureQueriesContext(connection) as context:
        student.client.get("/dashboard/")
    assert len(context.captured_queries) == few
