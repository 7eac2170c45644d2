"""Undoing a file in the console: what it would put back, the undo with a reason, and what it left as it is."""

from __future__ import annotations

import pytest

from program_enrollments.data import Permission
from program_enrollments.models import Job, LedgerEntry, PreemptiveProgramEnrollment
from tests.console.conftest import Desk, enroll, keep_file, run_jobs
from tests.rest_api.callers import Campus

pytestmark = pytest.mark.usefixtures("file_storage")

SHOW = "Show what an undo would put back"
PUT_BACK = "Undo: put this back now"


def statuses() -> dict[str, str]:
    return dict(PreemptiveProgramEnrollment.objects.values_list("learner__student_key", "status"))


@pytest.fixture
def job(campus: Campus) -> Job:
    """A file that suspended one learner and enrolled two."""
    enroll(campus, "S-1")
    return keep_file(campus, "student_key,status\nS-1,suspended\nS-2,enrolled\nS-3,enrolled\n")


def test_from_the_file_to_the_undo(registrar: Desk, campus: Campus, job: Job) -> None:
    assert SHOW in registrar.open("file", campus.program.uuid, job.pk).text

    page = registrar.send("file-undo-preview", campus.program.uuid, job.pk)
    assert "waits for its turn" in page.text
    run_jobs()
    preview = Job.objects.latest("pk")
    page = registrar.open("file", campus.program.uuid, preview.pk)
    assert "This is a preview: nothing has been put back yet." in page.text
    assert page.heading.startswith(f"Undo of no. {job.pk}")
    assert page.rows()[0].startswith("S-1 suspended → enrolled")
    assert page.rows()[1].startswith("S-2 enrolled → not enrolled any more")
    assert PUT_BACK in page.text
    assert statuses() == {"S-1": "suspended", "S-2": "enrolled", "S-3": "enrolled"}

    page = registrar.send("file-undo", campus.program.uuid, job.pk, reason="The wrong file")
    run_jobs()
    undo = Job.objects.latest("pk")
    page = registrar.open("file", campus.program.uuid, undo.pk)
    assert "Everything was put back as it was before the file." in page.text
    assert "The wrong file" in page.text
    assert "Download the result" in page.text
    assert statuses() == {"S-1": "enrolled"}
    assert set(LedgerEntry.objects.filter(job_id=undo.pk).values_list("reason", "actor_id")) == {
        ("The wrong file", registrar.user.pk)
    }

    page = registrar.open("file", campus.program.uuid, job.pk)
    assert "This was undone" in page.text
    assert SHOW not in page.text
    page = registrar.open("file", campus.program.uuid, preview.pk)
    assert "The undo was started." in page.text
    assert PUT_BACK not in page.text
    assert SHOW in registrar.open("file", campus.program.uuid, undo.pk).text
    assert registrar.download("file-result", campus.program.uuid, undo.pk)[0].startswith("course_id,student_key,line")
    assert f"Undo of no. {job.pk}" in registrar.open("files", campus.program.uuid).text


def test_what_was_left_as_it_is(registrar: Desk, campus: Campus, job: Job) -> None:
    enroll(campus, "S-2", status="ended")
    registrar.send("file-undo", campus.program.uuid, job.pk, reason="The wrong file")
    run_jobs()
    page = registrar.open("file", campus.program.uuid, Job.objects.latest("pk").pk)
    assert "1 line was left as it is; the others were put back." in page.text
    assert "Left as it is, and what to do" in page.text
    assert "Download the refused lines" not in page.text


def test_a_reason_is_needed_and_it_is_done_once(registrar: Desk, campus: Campus, job: Job) -> None:
    page = registrar.send("file-undo", campus.program.uuid, job.pk, reason="")
    assert page.messages() == ["Say why: the reason is kept with it."]
    registrar.send("file-undo", campus.program.uuid, job.pk, reason="The wrong file")
    page = registrar.send("file-undo", campus.program.uuid, job.pk, reason="Once more")
    assert "undone already" in page.messages()[0]
    page = registrar.send("file-undo-preview", campus.program.uuid, job.pk)
    assert "undone already" in page.messages()[0]


def test_what_cannot_be_undone_offers_nothing(registrar: Desk, campus: Campus, job: Job) -> None:
    preview = keep_file(campus, "student_key,status\nS-4,enrolled\n", dry_run=True)
    nothing = keep_file(campus, "student_key,status\nS-2,enrolled\n")
    for each in (preview, nothing):
        assert SHOW not in registrar.open("file", campus.program.uuid, each.pk).text
    page = registrar.send("file-undo-preview", campus.program.uuid, preview.pk)
    assert "nothing to undo" in page.messages()[0]


def test_who_may_only_read_sees_no_button(campus: Campus, job: Job, holding: object) -> None:
    viewer: Desk = holding(Permission.READ_ENROLLMENTS)  # type: ignore[operator]
    assert SHOW not in viewer.open("file", campus.program.uuid, job.pk).text
    assert viewer.send("file-undo", campus.program.uuid, job.pk, reason="x").status == 403
