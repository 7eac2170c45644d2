"""A change of student IDs is undone: everybody has the ID from before again (ADR 0028)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.exceptions import AlreadyUndone, WrongState
from program_enrollments.models import Job, Learner, LedgerEntry
from program_enrollments.normalization import is_pseudonym
from tests.api.jobs.conftest import Office
from tests.api.jobs.undo.offices import REGISTRAR, program_places, undo
from tests.api.steps import opened, release
from tests.invariants import find_violations

TOMORROW = timezone.localdate(timezone.now() + timedelta(days=1))


def enroll(office: Office, *keys: str) -> None:
    office.world.write_program(*((key, "enrolled") for key in keys))


def student_ids() -> dict[int, tuple[Any, ...]]:
    """Return (student ID, account, evidence) of everybody who is enrolled; the ID is "" for who has none."""
    people = Learner.objects.filter(pk__in=program_places().keys())
    rows = people.values_list("pk", "student_key", "student_key_normalized", "user_id", "link_how")
    return {pk: ("" if is_pseudonym(normalized or "") else key, *link) for pk, key, normalized, *link in rows}


def keys() -> list[str]:
    return sorted(row[0] for row in student_ids().values())


def honored() -> dict[str, int | None]:
    """Return for whom IDs are honored."""
    return dict(Learner.objects.exclude(honored_for=None).values_list("student_key_normalized", "honored_for"))


def sign_ons() -> set[tuple[int, str]]:
    return set(UserSocialAuth.objects.values_list("user_id", "uid"))


def test_everybody_has_the_former_id_again(office: Office) -> None:
    enroll(office, "A-1", "A-2", "A-3", "A-4", "A-5")
    ann = opened(office.world, "A-2")
    before = student_ids(), sign_ons()
    job = office.rekey("A-1,B-1", "A-2,A-3", "A-3,A-2", "A-4,A-5", "A-5,C-1")
    assert job.counts == {"renamed": 5}
    after = student_ids(), sign_ons()
    dry = undo(office, job, dry_run=True)
    assert (student_ids(), sign_ons()) == after

    undone = undo(office, job)

    assert (student_ids(), sign_ons()) == before
    assert (undone.kind, undone.program, undone.counts, undone.changed) == ("student_keys", None, {"renamed": 5}, 5)
    assert office.rows(undone) == office.rows(dry)
    assert office.rows(undone)[0] == (2, "B-1", "renamed", True, "B-1", "A-1")
    entries = LedgerEntry.objects.filter(job_id=undone.pk)
    assert {(entry.kind, entry.source, entry.reason) for entry in entries} == {
        ("student_key", "undo", "The wrong file")
    }
    assert opened(office.world, "A-2") == ann
    assert find_violations() == []
    with pytest.raises(AlreadyUndone):
        undo(office, job)

    again = undo(office, undone)
    assert (student_ids(), sign_ons()) == after
    assert again.counts == {"renamed": 5}


def test_an_id_that_was_honored_is_the_learners_again(office: Office) -> None:
    enroll(office, "A-1")
    ann = opened(office.world, "A-1")
    job = office.rekey("A-1,B-1", honor_old_until=TOMORROW)
    assert list(honored()) == ["a-1"]

    undone = undo(office, job)

    assert (keys(), honored()) == (["A-1"], {})
    assert opened(office.world, "A-1") == ann
    enroll(office, "B-1")
    assert keys() == ["A-1", "B-1"], "the new ID is free again"

    refused = undo(office, undone)
    assert office.words(refused) == {"A-1": "changed-since"}
    assert "Somebody else has the former ID" in refused.rows.get().detail


def test_an_undo_of_the_undo_honors_the_old_id_again(office: Office) -> None:
    enroll(office, "A-1")
    job = office.rekey("A-1,B-1", honor_old_until=TOMORROW)
    undone = undo(office, job)
    undo(office, undone)
    assert (keys(), list(honored())) == (["B-1"], ["a-1"])


class TestReleases:
    def test_a_released_id_comes_back(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        office.run("student_key,email,status\nA-2,two@uni.example,enrolled\n")
        before = student_ids()
        job = office.rekey("A-1,", "A-2,")
        assert keys() == ["", ""]

        undone = undo(office, job)

        assert student_ids() == before
        assert office.rows(undone) == [
            (2, "A-1", "renamed", True, None, "A-1"),
            (3, "two@uni.example", "renamed", True, None, "A-2"),
        ]
        undo(office, undone)
        assert keys() == ["", ""]

    def test_not_if_somebody_else_has_it(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey("A-1,")
        enroll(office, "A-1")
        undone = undo(office, job)
        assert (undone.counts, undone.changed) == ({"changed-since": 1}, 0)
        assert find_violations() == []


class TestChangedSince:
    def test_who_got_another_id_since_keeps_it(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        job = office.rekey("A-1,B-1", "A-2,B-2")
        office.rekey("B-1,C-1")
        undone = undo(office, job)
        assert keys() == ["A-2", "C-1"]
        assert undone.counts == {"changed-since": 1, "renamed": 1}

    def test_there_and_back_is_changed_too(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey("A-1,B-1")
        office.rekey("B-1,C-1")
        office.rekey("C-1,B-1")
        assert undo(office, job).counts == {"changed-since": 1}
        assert keys() == ["B-1"]

    def test_a_swap_of_which_one_was_changed_stays_as_a_whole(self, office: Office) -> None:
        enroll(office, "A-1", "A-2")
        job = office.rekey("A-1,A-2", "A-2,A-1")
        release(office.world, "A-1")
        undone = undo(office, job)
        assert undone.counts == {"changed-since": 1, "renamed": 1}
        assert keys() == ["", "A-1"]
        assert find_violations() == []


class TestRefusals:
    def test_a_dry_run_has_nothing_to_undo(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey("A-1,B-1", dry_run=True)
        with pytest.raises(WrongState, match="nothing to undo"):
            api.undo_job(job=job, origin=REGISTRAR)

    def test_it_runs_alone_in_its_school(self, office: Office) -> None:
        enroll(office, "A-1")
        job = office.rekey("A-1,B-1")
        office.send("student_key,status\nA-1,enrolled\n")
        undone = api.undo_job(job=job, origin=REGISTRAR)
        later = office.send("student_key,status\nA-1,enrolled\n")
        assert api.run_next_slice()
        assert [Job.objects.get(pk=each.pk).state for each in (undone, later)] == ["pending", "pending"]
        office.work(later)
        assert Job.objects.get(pk=undone.pk).state == "succeeded"


NAMES = st.sampled_from(["A-1", "a-1", "A-2", "A-3", "A-4", "B-1", "B-2", ""])
LINES = st.lists(st.tuples(NAMES, NAMES), max_size=7)


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, lines=LINES, honors=st.booleans(), size=st.integers(1, 4))
def test_whatever_the_file(
    office: Office, settings: Settings, before: list[Any], lines: list[Any], honors: bool, size: int
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": size}

    def text(rows: list[tuple[str, str]]) -> list[str]:
        return [",".join(row) for row in rows if any(row)]

    def state() -> tuple[Any, ...]:
        return student_ids(), honored()

    with transaction.atomic():
        enroll(office, "A-1", "A-2", "A-3", "A-4")
        opened(office.world, "A-1")
        opened(office.world, "A-3")
        office.rekey(*text(before))
        then, signed_on = state(), sign_ons()
        job = office.rekey(*text(lines), honor_old_until=TOMORROW if honors else None)
        after = state()
        undone = undo(office, job)
        assert (undone.state, undone.refused, undone.changed) == ("succeeded", 0, job.changed)
        assert state() == then
        if "released" not in job.counts:
            assert sign_ons() == signed_on
        assert find_violations() == []
        again = undo(office, undone)
        assert (again.refused, state()) == (0, after)
        assert find_violations() == []
        transaction.set_rollback(True)
