"""A bulk write under an `Idempotency-Key` that is interrupted: the retry goes on where it stood."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.enrollments import halves
from program_enrollments.api.kept_answers import CHUNK_LEASE
from program_enrollments.data import ProgramEnrollmentRequest, RowOutcome, Verb
from program_enrollments.exceptions import RequestInProgress
from program_enrollments.models import KeptAnswer, KeptProgress, LedgerEntry, PreemptiveProgramEnrollment
from tests.api.conftest import ORIGIN
from tests.factories.host import ServiceUserFactory
from tests.rest_api.callers import AppSettings, Caller, Campus

KEY = {"Idempotency-Key": "nightly-2026-11-27"}
ROWS = [{"student_key": f"S-{number}", "status": "enrolled"} for number in range(6)]
ALL = {row["student_key"]: "enrolled" for row in ROWS}


@pytest.fixture(autouse=True)
def _small_chunks(app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    app_settings(CHUNK_SIZE=2)
    monkeypatch.setattr(halves, "PAUSE_SECONDS", 0)


def fail_at(student_key: str, error: type[Exception]) -> Callable[..., Any]:
    """Return a wrapper of statements in which making this learner fails."""

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT") and "learner" in sql and student_key in str(params):
            raise error("went away")
        return execute(sql, params, many, context)

    return wrapper


def interrupt(campus: Campus, sis: Caller) -> Any:
    with connection.execute_wrapper(fail_at("S-4", OperationalError)):
        return sis.post(campus.enrollments, ROWS, headers=KEY)


def test_the_retry_goes_on_after_what_stands_and_repeats_none(campus: Campus, sis: Caller) -> None:
    interrupted = interrupt(campus, sis)
    assert interrupted.status_code == 503
    assert interrupted.json()["committed"] == dict.fromkeys(("S-0", "S-1", "S-2", "S-3"), "enrolled")
    assert interrupted["Retry-After"]

    again = sis.post(campus.enrollments, ROWS, headers=KEY)

    assert (again.status_code, again.json()) == (200, ALL), "without the key POST would say `conflict`"
    assert "Idempotency-Replayed" not in again
    assert LedgerEntry.objects.count() == len(ROWS)
    third = sis.post(campus.enrollments, ROWS, headers=KEY)
    assert (third.json(), third["Idempotency-Replayed"]) == (ALL, "true")
    assert not KeptProgress.objects.exists(), "the answer is kept now"


def test_another_interruption_adds_to_what_stands(campus: Campus, sis: Caller) -> None:
    interrupt(campus, sis)
    assert interrupt(campus, sis).json()["committed"].keys() == {"S-0", "S-1", "S-2", "S-3"}
    assert sis.post(campus.enrollments, ROWS, headers=KEY).json() == ALL


def test_the_retry_in_detail_says_what_the_first_try_changed(campus: Campus, sis: Caller) -> None:
    with connection.execute_wrapper(fail_at("S-4", OperationalError)):
        sis.post(campus.enrollments, ROWS, headers=KEY, query={"detail": "true"})
    rows = sis.post(campus.enrollments, ROWS, headers=KEY, query={"detail": "true"}).json()
    assert [(row["key"], row["changed"], row["before"]) for row in rows] == [(key, True, None) for key in ALL]


def test_an_internal_error_is_tried_again_and_the_others_are_not(campus: Campus, sis: Caller) -> None:
    with connection.execute_wrapper(fail_at("S-4", DatabaseError)):
        first = sis.post(campus.enrollments, ROWS, headers=KEY)
    assert (first.status_code, first.json()) == (207, {**ALL, "S-4": "internal-error"})

    again = sis.post(campus.enrollments, ROWS, headers=KEY)

    assert (again.status_code, again.json()) == (200, ALL)
    assert LedgerEntry.objects.count() == len(ROWS)


def test_what_is_noted_of_a_request_names_nobody(campus: Campus, sis: Caller) -> None:
    interrupt(campus, sis)
    kept = KeptAnswer.objects.get()
    progress = api.RequestProgress(api.Claim(kept.pk, kept.started_at)).fetch()
    assert progress == dict.fromkeys(range(4), ("enrolled", None, "", True))


class TestARequestThatDied:
    def test_is_gone_on_with_soon_after_its_last_chunk(self, campus: Campus, sis: Caller) -> None:
        interrupt(campus, sis)
        kept = KeptAnswer.objects.get()
        now = kept.started_at
        KeptAnswer.objects.update(leased_until=now + CHUNK_LEASE)  # as if the process had been killed after a chunk
        values = {"user_id": kept.user_id, "key": kept.key, "fingerprint": kept.fingerprint, "school_id": None}

        with pytest.raises(RequestInProgress):
            api.claim_answer(**values, now=now)
        claim = api.claim_answer(**values, now=now + CHUNK_LEASE)

        assert isinstance(claim, api.Claim)
        assert set(api.RequestProgress(claim).fetch()) == {0, 1, 2, 3}

    def test_commits_nothing_any_more_once_another_has_its_turn(self, campus: Campus) -> None:
        user = ServiceUserFactory()
        values = {"user_id": user.pk, "key": "key", "fingerprint": "f" * 64, "school_id": campus.school.pk}
        now = timezone.now()
        dead = api.claim_answer(**values, now=now)
        KeptAnswer.objects.update(leased_until=now)
        heir = api.claim_answer(**values, now=now + timedelta(seconds=1))
        assert isinstance(dead, api.Claim)
        assert isinstance(heir, api.Claim)

        with pytest.raises(RequestInProgress):
            write(campus, progress=api.RequestProgress(dead))

        assert not PreemptiveProgramEnrollment.objects.exists()
        assert write(campus, progress=api.RequestProgress(heir))[0].word == "enrolled"


def write(campus: Campus, *, progress: api.RequestProgress) -> list[RowOutcome]:
    return api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest("S-1", "S-1", "", "enrolled")],
        verb=Verb.CREATE,
        origin=ORIGIN,
        progress=progress,
    )
