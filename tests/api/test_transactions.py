"""Transactions: what is tried again, and what nobody may answer as done."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from program_enrollments import api
from program_enrollments.api.transactions import CrossedByAnother, in_transaction
from program_enrollments.data import ProgramEnrollmentRequest, Verb
from tests.api.conftest import ORIGIN
from tests.factories.enrollment import CurriculumFactory


def test_a_crossing_is_tried_again_inside_the_callers_transaction(db: None) -> None:
    tries: list[int] = []

    def work() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise CrossedByAnother
        return len(tries)

    assert connection.in_atomic_block
    assert in_transaction(work) == 3


@pytest.mark.django_db(transaction=True)
def test_a_dead_transaction_of_the_caller_is_told() -> None:
    curriculum = CurriculumFactory()
    rows = [ProgramEnrollmentRequest(key, key, "", "enrolled") for key in ("S-1", "S-2")]

    def dies(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "ledger" in sql:
            # What MariaDB does to the victim of a deadlock.
            connection.connection.rollback()
            raise RuntimeError("deadlock")
        return execute(sql, params, many, context)

    with pytest.raises(RuntimeError, match="deadlock"), transaction.atomic(), connection.execute_wrapper(dies):
        api.write_program_enrollments(program=curriculum.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN)
