"""Dry runs: the rows are those of the run that follows, word by word, and nothing is written."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import JobMode, ProgramStatus
from program_enrollments.models import Job, LedgerEntry, PreemptiveProgramEnrollment
from tests.api.conftest import ORIGIN
from tests.api.jobs.conftest import Office
from tests.examples import examples

COUNTED = ("total", "done", "changed", "unchanged", "refused", "removals", "counts")


def outcome(office: Office, job: Job) -> tuple[Any, ...]:
    details = list(job.rows.order_by("place").values_list("detail", flat=True))
    return office.rows(job), details, [getattr(job, name) for name in COUNTED]


def test_a_dry_run_equals_the_run_that_follows(office: Office) -> None:
    office.run("student_key,email,status\nA-1,one@uni.example,enrolled\nA-2,two@uni.example,enrolled\nA-3,,enrolled\n")
    text = (
        "student_key,email,status\nA-1,two@uni.example,suspended\nA-2,one@uni.example,enrolled\nB-1,,enrolled\n"
        "B-2,,enroled\nB-1,,pending\nb-3,,enrolled,surplus\nB-4,one@uni.example,enrolled\n"
    )
    entries = LedgerEntry.objects.count()
    dry = office.run(text, dry_run=True)
    assert (dry.state, LedgerEntry.objects.count()) == ("succeeded", entries)
    assert outcome(office, dry) == outcome(office, office.run(text))


def test_over_the_guard_it_ends_and_says_so(office: Office) -> None:
    office.run("student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(40)))
    dry = office.snapshot("student_key,status\nS-0,enrolled\n", dry_run=True)
    assert (dry.state, dry.removals, dry.counts) == ("succeeded", 39, {"enrolled": 1, "left": 39})
    assert dry.held is not None
    assert PreemptiveProgramEnrollment.objects.filter(status="enrolled").count() == 40


def test_dry_runs_queue_for_nobody(office: Office) -> None:
    office.send("student_key,status\nA-1,enrolled\n")
    dry = office.send("student_key,status\nA-1,enrolled\n", dry_run=True)
    Job.objects.exclude(pk=dry.pk).update(state="waiting", next_try="2100-01-01T00:00:00Z")
    assert office.work(dry).state == "succeeded"


IDENTITIES = st.sampled_from(["A-1", "a-1", "A-2", "A-3", "B-1", "B-2", ""])
ADDRESSES = st.sampled_from(["", "", "one@uni.example", "two@uni.example", "three@uni.example", "none"])
STATUSES = st.sampled_from([*ProgramStatus.values, "enrolled", "enroled"])
LINES = st.lists(st.tuples(IDENTITIES, ADDRESSES, STATUSES), max_size=8)


@examples(40)
@given(before=LINES, lines=LINES, mode=st.sampled_from(JobMode), size=st.integers(min_value=1, max_value=4))
def test_whatever_the_file(
    office: Office, settings: Settings, before: list[Any], lines: list[Any], mode: JobMode, size: int
) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": size}

    def text(rows: list[tuple[str, ...]]) -> str:
        return "student_key,email,status\n" + "".join(",".join(row) + "\n" for row in rows)

    with transaction.atomic():
        office.run(text(before))
        dry = office.run(text(lines), mode=mode, dry_run=True)
        real = office.run(text(lines), mode=mode)
        if real.state == "held":
            assert real.held is not None
            assert real.held == dry.held
            api.approve_job(job=real, effects=real.held["effects"], removals=True, origin=ORIGIN)
            office.work(real)
        assert outcome(office, real) == outcome(office, dry)
        transaction.set_rollback(True)
