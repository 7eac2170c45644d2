"""`X-Request-ID`: the caller's, or one made for the request; in the answer and in the ledger."""

from __future__ import annotations

from uuid import UUID

import pytest

from program_enrollments.models import LedgerEntry
from tests.rest_api.callers import Caller, Campus

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "sent", ["7", "nightly run 7", "a" * 128, "~!@#$%^&*()", "b3f1c6e0-0000-4000-8000-000000000000"]
)
def test_a_usable_one_is_kept(campus: Campus, sis: Caller, sent: str) -> None:
    response = sis.post(
        campus.enrollments, [{"student_key": "S-1", "status": "enrolled"}], headers={"X-Request-ID": sent}
    )
    assert response["X-Request-ID"] == sent
    assert LedgerEntry.objects.get().request_id == sent


@pytest.mark.parametrize("sent", [None, "", " ", "a" * 129, "ä", "a\tb", " a", "\x7f"])
def test_any_other_is_replaced(campus: Campus, sis: Caller, sent: str | None) -> None:
    headers = {} if sent is None else {"X-Request-ID": sent}
    response = sis.post(campus.enrollments, [{"student_key": "S-1", "status": "enrolled"}], headers=headers)
    made = response["X-Request-ID"]
    assert UUID(made).version == 4
    assert LedgerEntry.objects.get().request_id == made


def test_refusals_carry_it_too(campus: Campus) -> None:
    for path in (campus.path, "nowhere/"):
        assert Caller().get(path, headers={"X-Request-ID": "7"})["X-Request-ID"] == "7"
