"""Jobs in admin: looking at them, and deciding about one that is held."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from program_enrollments.models import Job, JobRow, KeptEnrollment, PreemptiveProgramEnrollment
from tests.admin.conftest import APP, Desk, url_of
from tests.api.conftest import world
from tests.api.jobs.conftest import Office, office

__all__ = ["office", "world"]


def people(count: int) -> str:
    return "student_key,status\n" + "".join(f"S-{number},enrolled\n" for number in range(count))


@pytest.fixture
def held(office: Office) -> Job:
    office.run(people(30))
    return office.snapshot(people(5))


def decide_url(job: Job) -> str:
    return f"/admin/{APP}/job/{job.pk}/decide/"


def present() -> int:
    return PreemptiveProgramEnrollment.objects.filter(status="enrolled").count()


def test_a_held_job_is_approved_with_its_removals(desk: Desk, office: Office, held: Job) -> None:
    page = desk.get(decide_url(held))
    assert "25 of 30" in page.text
    assert held.held is not None
    desk.post(decide_url(held), reason="They graduated", approve="1", effects=held.held["effects"])
    assert office.work(held).state == "succeeded"
    assert (present(), held.decided_by, held.decision_reason) == (5, desk.user.username, "They graduated")


def test_or_without_them(desk: Desk, office: Office, held: Job) -> None:
    assert held.held is not None
    desk.post(decide_url(held), reason="Wait", approve_without="1", effects=held.held["effects"])
    assert office.work(held).state == "succeeded"
    assert present() == 30


def test_what_was_shown_has_to_be_what_there_is(desk: Desk, held: Job) -> None:
    desk.post(decide_url(held), reason="They graduated", approve="1", effects="0" * 64)
    held.refresh_from_db()
    assert held.state == "held"


def test_a_reason_is_needed(desk: Desk, held: Job) -> None:
    page = desk.post(decide_url(held), reason="", cancel="1")
    assert page.errors()
    held.refresh_from_db()
    assert held.state == "held"


def test_it_is_canceled(desk: Desk, office: Office, held: Job) -> None:
    desk.post(decide_url(held), reason="The wrong file", cancel="1")
    assert office.work(held).state == "canceled"
    assert not JobRow.objects.filter(job=held).exists()


def test_the_rows_of_one_job_are_listed(desk: Desk, held: Job) -> None:
    page = desk.get(f"{url_of(JobRow, 'changelist')}?job__id__exact={held.pk}")
    assert "S-29" in page.text


def test_whoever_may_only_look_decides_nothing(desk_with: Callable[..., Desk], held: Job) -> None:
    viewer = desk_with("view_job", "view_jobrow")
    page = viewer.get(url_of(Job, "change", held.pk))
    assert page.status == 200
    assert decide_url(held) not in page.text
    assert viewer.post(decide_url(held), reason="Because", cancel="1").status == 403


def test_an_enrollment_is_kept_by_whoever_says_so(desk: Desk, held: Job) -> None:
    learner = PreemptiveProgramEnrollment.objects.earliest("pk").learner
    desk.post(
        url_of(KeptEnrollment, "add"),
        learner=str(learner.pk),
        program=str(held.program_id),
        course_run="",
        reason="Appeal pending",
        until="",
    )
    kept = KeptEnrollment.objects.get()
    assert (kept.learner_id, kept.by, kept.reason) == (learner.pk, desk.user.username, "Appeal pending")


def test_a_job_is_undone_after_a_look(desk: Desk, office: Office) -> None:
    job = office.run(people(3))
    assert "Preview the undo" in desk.get(decide_url(job)).text
    desk.post(decide_url(job), reason="The wrong file", undo_preview="1")
    preview = Job.objects.get(undoes=job)
    assert (office.work(preview).state, preview.dry_run, present()) == ("succeeded", True, 3)
    desk.post(decide_url(job), reason="The wrong file", undo="1")
    undo = Job.objects.get(undoes=job, dry_run=False)
    assert (office.work(undo).state, undo.reason, undo.created_by, present()) == (
        "succeeded",
        "The wrong file",
        desk.user.username,
        0,
    )
    assert "undone already" in desk.post(decide_url(job), reason="Again", undo="1").text
    assert "The wrong file" in desk.get(url_of(Job, "change", undo.pk)).text


def test_the_state_of_a_job_reads_as_a_sentence(desk: Desk, office: Office) -> None:
    job = office.send(people(3))

    assert "State of the job: waits for its turn." in desk.get(decide_url(job)).text
