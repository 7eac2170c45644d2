"""Files of student IDs in the console: sent, previewed, started, followed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from program_enrollments.api.jobs.decisions import UNDONE
from program_enrollments.data import Permission
from program_enrollments.models import Disclosure, Job, Learner
from tests.console.conftest import Desk, Page, administrator, enroll, keep_rekeys, run_jobs
from tests.rest_api.callers import Campus

pytestmark = pytest.mark.usefixtures("file_storage")


def send(desk: Desk, campus: Campus, *lines: str, **data: str) -> Page:
    raw = "\n".join(["old_student_key,new_student_key", *lines, ""]).encode()
    return desk.send("rekeys", campus.school.key, file=SimpleUploadedFile("ids.csv", raw), **data)


def test_a_file_is_previewed_and_then_started(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2", "S-3")
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    page = send(registrar, campus, "S-1,T-1", "S-2,", "S-9,T-9", honor_old_until=day)
    assert "waits for its turn" in page.text
    run_jobs()
    dry = Job.objects.get()
    page = registrar.open("rekey", campus.school.key, dry.pk)
    assert page.rows()[:2] == ["S-1 2 becomes T-1", "S-2 3 released for somebody else"]
    assert "nobody has the old ID" in page.rows()[2]
    assert "Nothing has been written yet" in page.text or "nothing has been written yet" in page.text
    assert set(Learner.objects.values_list("student_key", flat=True)) == {"S-1", "S-2", "S-3"}

    page = registrar.send("rekey-start", campus.school.key, dry.pk)
    run_jobs()
    real = Job.objects.exclude(pk=dry.pk).get()
    assert page.redirected_to.endswith(f"/{real.pk}/")
    page = registrar.open("rekey", campus.school.key, real.pk)
    assert "1 line was refused; the others were done." in page.text
    assert Learner.objects.filter(student_key="T-1", honored_keys__student_key="S-1").exists()
    assert "This file was started" in registrar.open("rekey", campus.school.key, dry.pk).text
    assert Disclosure.objects.filter(page="rekey", school=campus.school, rows=3, program=None).exists()


def test_the_page_follows_a_file_and_then_loads_anew(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    send(registrar, campus, "S-1,T-1")
    job = Job.objects.get()
    assert 'hx-trigger="every 2s"' in registrar.open("rekey", campus.school.key, job.pk).content
    url = f"/console/schools/{campus.school.key}/student-keys/files/{job.pk}/"
    assert "HX-Refresh" not in registrar.client.get(url, headers={"HX-Request": "true"}).headers
    run_jobs()
    assert registrar.client.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert 'hx-trigger="every' not in registrar.open("rekey", campus.school.key, job.pk).content


def test_results_and_refused_lines_are_downloaded(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    job = keep_rekeys(campus, "S-1,T-1", "S-9,T-9")
    lines = registrar.download("rekey-result", campus.school.key, job.pk)
    assert lines[1] == "S-1,T-1,2,renamed,,S-1,T-1"
    assert lines[2].startswith("S-9,T-9,3,unknown,")
    assert registrar.download("rekey-refused", campus.school.key, job.pk)[1:] == ["S-9,T-9"]


def test_what_cannot_be_sent(registrar: Desk, campus: Campus) -> None:
    assert send(registrar, campus, honor_old_until="2020-01-01").errors() != []
    page = registrar.send("rekeys", campus.school.key, file=SimpleUploadedFile("ids.csv", b"a,b\n1,2\n"))
    assert (page.status, "lacks the columns" in page.errors()[0]) == (400, True)
    assert registrar.send("rekeys", campus.school.key).errors() == ["Choose the file first."]
    assert not Job.objects.exists()


def test_from_the_file_to_the_undo(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2")
    job = keep_rekeys(campus, "S-1,S-2", "S-2,T-1")
    show, put_back = "Show what an undo would put back", "Undo: put this back now"
    assert show in registrar.open("rekey", campus.school.key, job.pk).text

    registrar.send("rekey-undo-preview", campus.school.key, job.pk)
    run_jobs()
    preview = Job.objects.latest("pk")
    page = registrar.open("rekey", campus.school.key, preview.pk)
    assert page.heading.startswith(f"Undo of no. {job.pk}")
    assert "This is a preview: nothing has been put back yet." in page.text
    assert page.rows() == ["S-2 becomes S-1", "T-1 becomes S-2"]
    assert put_back in page.text
    assert set(Learner.objects.values_list("student_key", flat=True)) >= {"S-2", "T-1"}

    assert registrar.send("rekey-undo", campus.school.key, job.pk, reason="").messages() == [
        "Say why: the reason is kept with it."
    ]
    registrar.send("rekey-undo", campus.school.key, job.pk, reason="The wrong term's file")
    run_jobs()
    undo = Job.objects.latest("pk")
    page = registrar.open("rekey", campus.school.key, undo.pk)
    assert "Everything was put back as it was before the file." in page.text
    assert "The wrong term's file" in page.text
    assert show in page.text, "an undo can be undone, too"
    assert registrar.download("rekey-result", campus.school.key, undo.pk)[1].startswith(",S-2,2,renamed,,S-2,S-1")
    page = registrar.open("rekey", campus.school.key, job.pk)
    assert "This was undone" in page.text
    assert show not in page.text
    assert "The undo was started." in registrar.open("rekey", campus.school.key, preview.pk).text
    refused = registrar.send("rekey-undo", campus.school.key, job.pk, reason="Once more")
    assert "undone" in refused.messages()[0]


def test_canceling_takes_a_reason(registrar: Desk, campus: Campus, file_storage: Path) -> None:
    enroll(campus, "S-1")
    send(registrar, campus, "S-1,T-1")
    job = Job.objects.get()
    registrar.send("rekey-cancel", campus.school.key, job.pk)
    job.refresh_from_db()
    assert job.state == "pending"
    page = registrar.send("rekey-cancel", campus.school.key, job.pk, reason="The wrong file")
    job.refresh_from_db()
    assert job.state == "canceled"
    assert "The wrong file" in page.text
    assert "outage stopped" in registrar.send("rekey-resume", campus.school.key, job.pk, reason="x").text


def test_the_files_of_the_programs_show_those_of_the_school(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    job = keep_rekeys(campus, "S-1,T-1")
    page = registrar.open("files", campus.program.uuid)
    assert "Student IDs of the school" in page.text
    assert f"/student-keys/files/{job.pk}/" in page.content
    assert registrar.open("files", campus.program.uuid, kind="student_keys").rows() != []
    assert len(registrar.open("rekeys", campus.school.key).rows()) == 1
    reader = administrator(Permission.READ_ENROLLMENTS, campus=campus)
    assert "Student IDs of the school" not in " ".join(reader.open("files", campus.program.uuid).rows())


def test_what_is_refused_is_said_in_the_readers_language(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "old-1")
    send(registrar, campus, "old-1,new-1")
    registrar.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    job = Job.objects.get()
    url = reverse("console:rekey-result", args=[campus.school.key, job.pk])
    response = registrar.client.get(url, follow=True)
    page = Page(response.status_code, response.content.decode(), {})

    assert page.messages() == ["Ein Ergebnis gibt es, sobald der Auftrag beendet ist; sein Stand: ausstehend."]


def test_why_a_file_of_ids_stopped_is_said_in_the_readers_language(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "old-1")
    job = keep_rekeys(campus, "old-1,new-1")
    Job.objects.update(message=UNDONE, notes=[UNDONE])
    registrar.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    text = registrar.open("rekey", campus.school.key, job.pk).text

    assert UNDONE not in text
    assert text.count("Dieser Auftrag wurde inzwischen rückgängig gemacht") == 2
