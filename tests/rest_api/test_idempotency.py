"""`Idempotency-Key`: a repeated POST is carried out once and answered twice."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.kept_answers import FORGOTTEN_AT_ONCE, LEASE, MAX_CONTENT_BYTES
from program_enrollments.data import Permission
from program_enrollments.exceptions import IdempotencyKeyReused, RequestInProgress
from program_enrollments.models import Grant, KeptAnswer, Learner, LedgerEntry, PreemptiveProgramEnrollment
from tests.factories.host import ServiceUserFactory
from tests.rest_api.callers import AppSettings, Caller, Campus, caller_granted, make_campus

KEY = {"Idempotency-Key": "nightly-2026-09-01"}
ROWS = [{"student_key": "S-1", "status": "enrolled"}]


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error_code"]


class TestTheSameRequestAgain:
    def test_gets_the_same_answer_and_changes_nothing(self, campus: Campus, sis: Caller) -> None:
        first = sis.post(campus.enrollments, ROWS, headers=KEY)
        again = sis.post(campus.enrollments, ROWS, headers=KEY)

        assert (first.status_code, first.json()) == (200, {"S-1": "enrolled"})
        assert (again.status_code, again.content, again["Content-Type"]) == (200, first.content, "application/json")
        assert again["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first
        assert first["X-Request-ID"] != again["X-Request-ID"]
        assert LedgerEntry.objects.count() == 1

    def test_without_the_key_is_another_request(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers=KEY)
        assert sis.post(campus.enrollments, ROWS).json() == {"S-1": "conflict"}
        assert sis.post(campus.enrollments, ROWS, headers={"Idempotency-Key": "other"}).json() == {"S-1": "conflict"}

    @pytest.mark.parametrize(
        ("body", "status"),
        [([], 200), ([{"student_key": "S-1", "status": "gone"}], 422), ({}, 400), (b"not json", 400)],
    )
    def test_refusals_that_another_day_would_not_change_are_kept(
        self, campus: Campus, sis: Caller, body: Any, status: int
    ) -> None:
        first = sis.post(campus.enrollments, body, headers=KEY)
        again = sis.post(campus.enrollments, body, headers=KEY)
        assert first.status_code == again.status_code == status
        assert again.content == first.content
        assert again["Content-Type"] == first["Content-Type"]
        assert again["Idempotency-Replayed"] == "true"

    def test_with_another_body_path_or_query_is_refused(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers=KEY)
        for path, body in (
            (campus.enrollments, [{"student_key": "S-2", "status": "enrolled"}]),
            (campus.course_enrollments, ROWS),
            (f"/api/program_enrollments/v1/{campus.enrollments}?cascade=true", ROWS),
        ):
            assert refusal(sis.post(path, body, headers=KEY)) == (422, "idempotency_key_reused")
        assert Learner.objects.count() == 1

    def test_of_another_client_is_another_request(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers=KEY)
        other = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
        assert other.post(campus.enrollments, ROWS, headers=KEY).json() == {"S-1": "conflict"}

    def test_keys_are_compared_letter_by_letter(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers={"Idempotency-Key": "Key"})
        assert sis.post(campus.enrollments, ROWS, headers={"Idempotency-Key": "key"}).json() == {"S-1": "conflict"}

    def test_a_key_means_nothing_to_other_methods(self, campus: Campus, sis: Caller) -> None:
        for _ in range(2):
            response = sis.put(campus.enrollments, ROWS, headers=KEY)
            assert "Idempotency-Replayed" not in response
        assert not KeptAnswer.objects.exists()

    @pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä", "a\tb"])
    def test_a_key_that_can_be_none_is_refused(self, campus: Campus, sis: Caller, key: str) -> None:
        response = sis.post(campus.enrollments, ROWS, headers={"Idempotency-Key": key})
        assert refusal(response) == (400, "invalid_parameter")
        assert response.json()["parameter"] == "Idempotency-Key"
        assert not Learner.objects.exists()

    def test_the_longest_key_works(self, campus: Campus, sis: Caller) -> None:
        key = {"Idempotency-Key": "x" * 255}
        sis.post(campus.enrollments, ROWS, headers=key)
        assert sis.post(campus.enrollments, ROWS, headers=key).json() == {"S-1": "enrolled"}


class TestAnswersThatAreNotKept:
    def test_401_403_and_404_are_not(self, campus: Campus, sis: Caller) -> None:
        stranger = caller_granted(Permission.METADATA, school=make_campus("uni-b").school)
        reader = caller_granted(Permission.METADATA, school=campus.school)
        for caller, status in ((Caller(), 401), (stranger, 404), (reader, 403)):
            assert caller.post(campus.enrollments, ROWS, headers=KEY).status_code == status
        assert not KeptAnswer.objects.exists()

    def test_a_lost_grant_ends_replays(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers=KEY)
        Grant.objects.all().delete()
        assert sis.post(campus.enrollments, ROWS, headers=KEY).status_code == 404

    def test_what_failed_unforeseen_is_carried_out_again(
        self, campus: Campus, sis: Caller, app_settings: AppSettings
    ) -> None:
        app_settings(MAX_ROWS=None)
        broken = Caller(sis.headers, Client(raise_request_exception=False))
        assert broken.post(campus.enrollments, ROWS, headers=KEY).status_code == 500

        app_settings(MAX_ROWS=10)
        assert sis.post(campus.enrollments, ROWS, headers=KEY).json() == {"S-1": "enrolled"}


@dataclass
class Desk:
    """Claims for one user and one request, at times of one's choice."""

    user_id: int
    school_id: int
    now: datetime = field(default_factory=timezone.now)

    def claim(self, key: str = "key", *, after: timedelta = timedelta(), fingerprint: str = "f" * 64) -> Any:
        return api.claim_answer(
            user_id=self.user_id,
            key=key,
            fingerprint=fingerprint,
            school_id=self.school_id,
            now=self.now + after,
        )


@pytest.fixture
def desk(campus: Campus) -> Desk:
    return Desk(ServiceUserFactory().pk, campus.school.pk)


ANSWER = api.RequestAnswer(200, {"Content-Type": "application/json"}, b'{"S-1": "enrolled"}')


class TestClaims:
    def test_while_the_first_runs_the_second_is_told_to_wait(self, desk: Desk) -> None:
        claim = desk.claim()
        with pytest.raises(RequestInProgress):
            desk.claim(after=LEASE - timedelta(seconds=1))
        api.keep_answer(claim=claim, answer=ANSWER)
        assert desk.claim(after=timedelta(hours=23)) == ANSWER

    def test_over_http_that_is_409(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, ROWS, headers=KEY)
        KeptAnswer.objects.update(status=None)
        assert refusal(sis.post(campus.enrollments, ROWS, headers=KEY)) == (409, "request_in_progress")

    def test_a_released_request_may_run_again(self, desk: Desk) -> None:
        api.release_claim(claim=desk.claim())
        assert isinstance(desk.claim(), api.Claim)

    def test_a_request_that_died_blocks_no_longer_than_its_lease(self, desk: Desk) -> None:
        dead = desk.claim()
        heir = desk.claim(after=LEASE)
        assert isinstance(heir, api.Claim)
        with pytest.raises(RequestInProgress):
            desk.claim(after=LEASE)

        # Should the first one be alive after all, its answer is not the heir's.
        api.keep_answer(claim=dead, answer=api.RequestAnswer(207))
        api.release_claim(claim=dead)
        api.keep_answer(claim=heir, answer=ANSWER)
        assert desk.claim(after=LEASE) == ANSWER

    def test_another_request_is_refused_while_the_first_runs_and_after(self, desk: Desk) -> None:
        claim = desk.claim()
        with pytest.raises(IdempotencyKeyReused):
            desk.claim(fingerprint="e" * 64)
        api.keep_answer(claim=claim, answer=ANSWER)
        with pytest.raises(IdempotencyKeyReused):
            desk.claim(fingerprint="e" * 64)

    def test_after_a_day_the_key_is_free(self, desk: Desk) -> None:
        api.keep_answer(claim=desk.claim(), answer=ANSWER)
        assert isinstance(desk.claim(after=timedelta(hours=24), fingerprint="e" * 64), api.Claim)

    def test_how_long_is_a_setting(self, desk: Desk, app_settings: AppSettings) -> None:
        app_settings(IDEMPOTENCY_HOURS=1)
        api.keep_answer(claim=desk.claim(), answer=ANSWER)
        assert isinstance(desk.claim(after=timedelta(hours=1)), api.Claim)

    def test_what_expired_is_cleared_away_some_at_a_time(self, desk: Desk) -> None:
        for number in range(FORGOTTEN_AT_ONCE + 3):
            api.keep_answer(claim=desk.claim(f"old-{number}"), answer=ANSWER)
        desk.claim("new", after=timedelta(hours=12))

        desk.claim("newer", after=timedelta(hours=25))
        assert KeptAnswer.objects.filter(key__startswith="old").count() == 3
        desk.claim("newest", after=timedelta(hours=25))
        assert sorted(KeptAnswer.objects.values_list("key", flat=True)) == ["new", "newer", "newest"]

    def test_an_answer_too_large_to_keep_is_not(self, desk: Desk) -> None:
        incompressible = random.Random(1).randbytes(MAX_CONTENT_BYTES + 100_000)
        api.keep_answer(claim=desk.claim(), answer=api.RequestAnswer(200, content=incompressible))
        assert isinstance(desk.claim(), api.Claim)

    def test_retiring_a_person_can_forget_the_answers_of_their_school(self, desk: Desk) -> None:
        api.keep_answer(claim=desk.claim("ours"), answer=ANSWER)
        running = desk.claim("running")
        elsewhere = replace(desk, school_id=make_campus("uni-b").school.pk)
        api.keep_answer(claim=elsewhere.claim("theirs"), answer=ANSWER)
        nobodys = KeptAnswer.objects.create(
            user_id=desk.user_id, key="nobodys", started_at=desk.now, expires_at=desk.now + LEASE, status=200
        )

        assert api.forget_answers(school_id=desk.school_id) == 2

        assert sorted(KeptAnswer.objects.values_list("key", flat=True)) == ["running", "theirs"]
        assert not KeptAnswer.objects.filter(pk=nobodys.pk).exists()
        api.keep_answer(claim=running, answer=ANSWER)
        assert desk.claim("running") == ANSWER


@pytest.mark.django_db(transaction=True)
def test_of_parallel_posts_with_one_key_one_runs() -> None:
    campus = make_campus("uni-a")
    sis = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
    rows = [{"student_key": f"S-{number}", "status": "enrolled"} for number in range(50)]
    start = threading.Barrier(4)

    def post(_: int) -> Any:
        try:
            start.wait()
            response = Caller(sis.headers).post(campus.enrollments, rows, headers=KEY)
            return response.status_code, response.json()
        finally:
            connection.close()

    for _ in range(3):
        KeptAnswer.objects.all().delete()
        PreemptiveProgramEnrollment.objects.all().delete()
        LedgerEntry.objects.all().delete()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(post, range(4)))

        # Each got the one answer, or was told to wait for it.
        assert {status for status, _ in answers} <= {200, 409}
        assert all(
            answer == {row["student_key"]: "enrolled" for row in rows} for status, answer in answers if status == 200
        )
        assert [status for status, _ in answers].count(200) >= 1
        assert LedgerEntry.objects.count() == len(rows)
