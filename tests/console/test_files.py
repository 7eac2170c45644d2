"""Files: choosing one, its preview, starting it, following it, its result, and deciding about one that is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, Permission
from program_enrollments.models import Disclosure, Job, LedgerEntry, PreemptiveProgramEnrollment
from tests.console.conftest import ORIGIN, Desk, Page, enroll, keep_file, run_jobs
from tests.rest_api.callers import Campus

pytestmark = pytest.mark.usefixtures("file_storage")

FORM = {"kind": "program_enrollments", "mode": "upsert", "leaving_status": "canceled"}


def upload(desk: Desk, campus: Campus, text: str | bytes, name: str = "autumn.csv", **form: str) -> Page:
    raw = text.encode() if isinstance(text, str) else text
    return desk.send("send-file", campus.program.uuid, file=SimpleUploadedFile(name, raw), **{**FORM, **form})


def preview(desk: Desk, campus: Campus, text: str, **form: str) -> Page:
    """Send a file, have its dry run worked off, and return its page then."""
    upload(desk, campus, text, **form)
    run_jobs()
    return desk.open("file", campus.program.uuid, last_job().pk)


def last_job() -> Job:
    return Job.objects.latest("pk")


def people(*student_keys: str, status: str = "enrolled") -> str:
    return "student_key,status\n" + "".join(f"{key},{status}\n" for key in student_keys)


def keys(count: int) -> list[str]:
    return [f"S-{number:03}" for number in range(count)]


def held(campus: Campus) -> Job:
    """A snapshot that forgets 30 of 100."""
    enroll(campus, *keys(100))
    job = keep_file(campus, people(*keys(70)), mode=JobMode.SNAPSHOT)
    assert job.state == "held"
    return job


class TestChoosing:
    def test_the_form_tells_what_belongs_into_a_file(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.open("send-file", campus.program.uuid)
        assert str(campus.curriculum.uuid) in page.text
        for kind, columns in (
            ("program_enrollments", "student_key,email,status,curriculum_uuid"),
            ("course_enrollments", "course_id,student_key,email,status,course_staff"),
        ):
            assert registrar.download("file-template", campus.program.uuid, kind) == [columns]
        assert registrar.open("file-template", campus.program.uuid, "grades").status == 404

    def test_without_a_file_it_says_so(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.send("send-file", campus.program.uuid, **FORM)
        assert (page.status, page.errors()) == (400, ["Choose the file first."])

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "The file lacks the columns"),
            (
                b"Student ID,Status\nA-1,enrolled\n",
                "The file lacks the column student_key or email. Line 1 has 2 fields",
            ),
            (b"PK\x03\x04 an archive", "This is a zip archive, not a CSV file. Unpack it"),
            (b"student_key,status,status\nA-1,enrolled,x\n", "Line 1 names the column status more than once."),
        ],
    )
    def test_what_cannot_be_read_is_told_with_what_was_seen(
        self, registrar: Desk, campus: Campus, content: bytes, said: str
    ) -> None:
        page = upload(registrar, campus, content)
        assert page.status == 400
        assert said in page.errors()[0]
        assert not Job.objects.exists()

    def test_a_file_that_is_too_large(self, registrar: Desk, campus: Campus, settings: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "MAX_FILE_BYTES": 10}
        page = upload(registrar, campus, people("A-1"))
        assert "larger than 10" in page.errors()[0]

    def test_a_storage_that_fails(self, registrar: Desk, campus: Campus, file_storage: Path) -> None:
        (file_storage / str(campus.school.pk)).write_text("in the way")
        page = upload(registrar, campus, people("A-1"))
        assert page.status == 503
        assert "Send the file again in a while." in page.errors()[0]


class TestPreview:
    def test_it_tells_what_would_change_and_writes_nothing(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1", "S-2")

        page = preview(
            registrar, campus, "student_key,status,name\nS-1,enrolled,x\nS-2,ended,x\nS-3,enrolled,x\nS-4,no,x\n"
        )

        assert "This is a preview: nothing has been written yet." in page.text
        assert page.rows()[0].startswith("S-2 3 enrolled → ended")
        assert page.rows()[1].startswith("S-3 4 new: enrolled")
        assert page.rows()[2].startswith("S-4 5 unknown status The status must be one of")
        figures = dict(zip(page.tree.xpath("//dt/text()"), page.tree.xpath("//dl[1]/div/dd"), strict=False))
        assert {name: figure.text_content() for name, figure in figures.items() if name in {"new", "unchanged"}} == {
            "new": "1",
            "unchanged": "1",
        }
        assert "Write the status exactly as one of" in page.text, "each problem has its advice"
        assert "ignored name" in page.text, "what was found on line 1"
        assert "not there email" in page.text
        assert PreemptiveProgramEnrollment.objects.count() == 2

    def test_started_it_is_done_without_being_sent_again(self, registrar: Desk, campus: Campus) -> None:
        preview(registrar, campus, people("S-1", "S-2"))
        dry = last_job()

        page = registrar.send("file-start", campus.program.uuid, dry.pk)
        run_jobs()

        real = last_job()
        assert page.redirected_to == reverse("console:file", args=[campus.program.uuid, real.pk])
        assert (real.dry_run, real.state, real.changed) == (False, "succeeded", 2)
        assert (real.sha256, real.file_name, real.created_by) == (dry.sha256, "autumn.csv", registrar.user.username)
        assert set(LedgerEntry.objects.values_list("job_id", flat=True)) == {real.pk}
        before = registrar.open("file", campus.program.uuid, dry.pk)
        assert "This file was started." in before.text
        assert "Start: write this now" not in before.text

    def test_two_clicks_start_it_once(self, registrar: Desk, campus: Campus) -> None:
        preview(registrar, campus, people("S-1"))
        dry = last_job()
        registrar.send("file-start", campus.program.uuid, dry.pk)

        page = registrar.send("file-start", campus.program.uuid, dry.pk)

        assert page.messages() == ["This file was started already."]
        assert Job.objects.count() == 2

    def test_a_snapshot_shows_who_would_leave_and_that_it_would_be_held(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, *keys(40))

        page = preview(registrar, campus, people(*keys(20)), mode="snapshot")

        assert "If you start it, it will wait for somebody to approve it: The file would remove 20 of 40" in page.text
        assert "would leave" in page.text
        left = registrar.open("file", campus.program.uuid, last_job().pk, word="left")
        assert len(left.rows()) == 21, "the removals, and a line of the table of scopes"
        assert any("enrolled → canceled" in row for row in left.rows())

    def test_a_probable_change_of_id_stands_out(self, registrar: Desk, campus: Campus) -> None:
        keep_file(campus, "student_key,email,status\nS-1,kim@uni.example,enrolled\nS-2,,enrolled\n")

        page = preview(
            registrar,
            campus,
            "student_key,email,status\nS-9,kim@uni.example,enrolled\nS-2,,enrolled\n",
            mode="snapshot",
        )

        assert "Probably a new student ID" in page.text
        assert "S-9: The address belongs to the student ID S-1" in page.text

    def test_a_file_that_is_gone_has_to_be_sent_again(self, registrar: Desk, campus: Campus) -> None:
        preview(registrar, campus, people("S-1"))
        Job.objects.update(input_name="")

        assert "is not kept any more" in registrar.open("file", campus.program.uuid, last_job().pk).text
        page = registrar.send("file-start", campus.program.uuid, last_job().pk)

        assert page.messages() == ["The file is not kept any more. Send it again."]

    def test_nobody_retired_comes_back_by_a_preview(self, registrar: Desk, campus: Campus) -> None:
        preview(registrar, campus, people("S-1"))
        Job.objects.update(is_input_due=True)

        registrar.send("file-start", campus.program.uuid, last_job().pk)

        assert Job.objects.count() == 1


class TestProgress:
    def part(self, desk: Desk, campus: Campus, **query: str) -> Any:
        url = reverse("console:file-progress", args=[campus.program.uuid, last_job().pk])
        return desk.client.get(url, query, headers={"HX-Request": "true"})

    def test_it_is_asked_for_until_it_is_over(self, registrar: Desk, campus: Campus) -> None:
        page = upload(registrar, campus, people("S-1"))
        assert page.tree.xpath('//*[@role="status"]/text()') == ["waits for its turn"]
        assert page.tree.xpath('//div[@id="file-progress"]/@hx-trigger') == ["every 2s"]
        assert page.tree.xpath("//progress/@aria-label")
        assert "Look again" in page.content, "without scripts a link does it"

        part = self.part(registrar, campus, told="waits for its turn").content.decode()
        assert "hx-swap-oob" not in part, "a screen reader is told only what is new"
        assert "<html" not in part
        assert "hx-swap-oob" in self.part(registrar, campus).content.decode()

        run_jobs()
        over = self.part(registrar, campus)
        assert over["HX-Refresh"] == "true"
        assert "hx-trigger" not in over.content.decode()

    def test_lines_are_counted_while_they_are_applied(self, registrar: Desk, campus: Campus) -> None:
        upload(registrar, campus, people("S-1"))
        Job.objects.update(state="running", total=200, done=50, dry_run=False)

        page = registrar.open("file", campus.program.uuid, last_job().pk)

        assert page.tree.xpath("//progress/@value") == ["50"]
        assert "being applied: 20 %" in page.text
        assert "50 of 200 lines" in page.text

    def test_without_htmx_it_leads_to_the_page(self, registrar: Desk, campus: Campus) -> None:
        upload(registrar, campus, people("S-1"))
        page = registrar.client.get(reverse("console:file-progress", args=[campus.program.uuid, last_job().pk]))
        assert page["Location"] == reverse("console:file", args=[campus.program.uuid, last_job().pk])

    def test_it_is_canceled_with_a_reason(self, registrar: Desk, campus: Campus) -> None:
        upload(registrar, campus, people("S-1"))

        missing = registrar.send("file-cancel", campus.program.uuid, last_job().pk, reason="")
        assert missing.messages() == ["Say why: the reason is kept with it."]
        page = registrar.send("file-cancel", campus.program.uuid, last_job().pk, reason="Wrong file")

        assert "The file was canceled." in page.text
        assert (last_job().state, last_job().decision_reason) == ("canceled", "Wrong file")
        again = registrar.send("file-cancel", campus.program.uuid, last_job().pk, reason="Wrong file")
        assert "can't be canceled any more" in again.messages()[0]

    def test_what_an_outage_stopped_is_resumed(self, registrar: Desk, campus: Campus) -> None:
        upload(registrar, campus, people("S-1"))
        Job.objects.update(state="waiting", next_try="2026-03-01T10:00Z", waiting_since="2026-03-01T09:00Z")
        page = registrar.open("file", campus.program.uuid, last_job().pk)
        assert "The platform does not answer just now." in page.text

        registrar.send("file-resume", campus.program.uuid, last_job().pk, reason="It is back")

        assert last_job().waiting_since is None

    def test_a_failed_file_says_why(self, registrar: Desk, campus: Campus) -> None:
        page = preview(registrar, campus, people(*keys(3)) + '"never closed,enrolled\n')
        assert "failed" in page.text
        assert "line 5" in page.text
        assert "Send the corrected file" in page.text


class TestResult:
    def test_filters_stand_in_the_address_and_in_the_file(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")
        job = keep_file(campus, people("S-1", status="ended") + "S-2,enrolled\nS-3,no\nS-4,no\n")
        place = (campus.program.uuid, job.pk)

        assert "2 lines were refused; the others were done." in registrar.open("file", *place).text
        assert len(registrar.open("file", *place, word="invalid-status").rows()) == 2
        assert len(registrar.open("file", *place, changed="true").rows()) == 2
        assert registrar.open("file", *place, word="nonsense").status == 400
        lines = registrar.download("file", *place, word="ended")
        assert lines == [
            "line,student_key,course_id,word,changed,before,after,detail",
            "2,S-1,,ended,true,enrolled,ended,",
        ]
        assert registrar.download("file-result", *place)[1] == "S-1,ended,2,ended,,enrolled,ended"

    def test_only_the_refused_lines_are_sent_again(self, registrar: Desk, campus: Campus) -> None:
        text = "Name;student_key;status\nx;S-1;enrolled\ny;S-2;enroled\nz;S-3\n=1;S-4;enroled\n"
        job = keep_file(campus, text)

        lines = registrar.download("file-refused", campus.program.uuid, job.pk)

        assert lines == ["Name,student_key,status", "y,S-2,enroled", "z,S-3", "'=1,S-4,enroled"]
        corrected = "\n".join(lines).replace("enroled", "enrolled").replace("z,S-3", "z,S-3,enrolled")
        assert keep_file(campus, corrected).refused == 0
        assert PreemptiveProgramEnrollment.objects.count() == 4

    def test_files_of_courses_name_the_course(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")
        text = f"course_id,student_key,status\n{campus.course_run.course_id},S-1,active\nCS-0,S-1,active\n"
        job = keep_file(campus, text, kind=JobKind.COURSE_ENROLLMENTS)

        page = registrar.open("file", campus.program.uuid, job.pk)

        assert campus.course_run.course_id in page.rows()[0]
        assert "unknown course" in page.rows()[1]

    def test_a_result_that_is_not_there_yet_or_not_any_more(self, registrar: Desk, campus: Campus) -> None:
        upload(registrar, campus, people("S-1"))
        place = (campus.program.uuid, last_job().pk)
        response = registrar.client.get(reverse("console:file-result", args=place))
        assert (
            "There is a result once the job has ended"
            in registrar._page(registrar.client.get(response["Location"])).messages()[0]
        )
        run_jobs()
        Job.objects.update(input_name="")
        assert registrar.client.get(reverse("console:file-refused", args=place)).status_code == 302

    def test_looks_and_exports_are_recorded(self, registrar: Desk, campus: Campus) -> None:
        job = keep_file(campus, people("S-1", "S-2"))
        Disclosure.objects.all().delete()

        registrar.open("file", campus.program.uuid, job.pk, changed="true")
        registrar.download("file", campus.program.uuid, job.pk)
        registrar.download("file-result", campus.program.uuid, job.pk)
        registrar.download("file-refused", campus.program.uuid, job.pk)

        recorded = Disclosure.objects.order_by("pk").values_list("page", "rows", "filters", "is_export")
        assert list(recorded) == [
            ("file", 2, "changed=true", False),
            ("file", 2, "", True),
            ("result", 2, "", True),
            ("refused", 0, "", True),
        ]


class TestHold:
    def test_it_shows_whom_it_would_remove(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.open("file", campus.program.uuid, held(campus).pk)

        assert "The file waits for a decision. Nothing has been written." in page.text
        assert page.rows()[0].endswith("30 100 20")
        assert page.rows()[1].startswith("S-070 – none enrolled → canceled No line of the file names this learner.")
        assert len(page.rows()) == 31

    @pytest.mark.parametrize(("removals", "left"), [("true", 30), ("false", 0)])
    def test_it_is_approved_with_or_without_the_removals(
        self, registrar: Desk, campus: Campus, removals: str, left: int
    ) -> None:
        job = held(campus)
        assert job.held
        form = {"reason": "They graduated", "effects": job.held["effects"], "removals": removals}

        page = registrar.send("file-approve", campus.program.uuid, job.pk, **form)
        run_jobs()

        assert page.messages() == ["Approved. The file goes on."]
        assert PreemptiveProgramEnrollment.objects.filter(status="canceled").count() == left
        told = registrar.open("file", campus.program.uuid, job.pk).text
        assert "They graduated" in told
        assert ("with the removals" in told, "without the removals" in told) == (removals == "true", removals != "true")

    def test_a_list_that_has_changed_is_looked_at_again(self, registrar: Desk, campus: Campus) -> None:
        job = held(campus)
        form = {"reason": "They graduated", "effects": "0" * 64, "removals": "true"}

        page = registrar.send("file-approve", campus.program.uuid, job.pk, **form)

        assert page.messages() == [
            "The list of removals has changed since you saw it. Look at it again, and decide then."
        ]
        assert last_job().state == "held"

    def test_only_who_may_write_decides(self, holding: Any, campus: Campus) -> None:
        job, viewer = held(campus), holding(Permission.READ_ENROLLMENTS)
        assert viewer.open("file", campus.program.uuid, job.pk).tree.xpath("//form[@method='post']") == []
        assert viewer.send("file-cancel", campus.program.uuid, job.pk, reason="No").status == 403

    def test_the_first_page_leads_to_it(self, registrar: Desk, campus: Campus) -> None:
        job = held(campus)
        url = reverse("console:file", args=[campus.program.uuid, job.pk])

        page = registrar.open("home")

        assert "The file “nightly.csv” is held: decide about it." in page.text
        assert url in page.tree.xpath("//main//a/@href")
        assert "Last file" in page.text
        api.cancel_job(job=job, origin=ORIGIN)
        assert "is held" not in registrar.open("home").text

    def test_several_failed_files_lead_to_the_list(self, registrar: Desk, campus: Campus) -> None:
        for _ in range(2):
            keep_file(campus, people("S-1") + '"never closed,x\n')
        page = registrar.open("home")
        assert "Files have failed." in page.text
        assert f"{reverse('console:files', args=[campus.program.uuid])}?state=failed" in page.tree.xpath("//a/@href")
