"""A registrar's file in Chromium: five mistakes, their advice, the correction, and a snapshot that is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Verb
from program_enrollments.models import Job, PreemptiveProgramEnrollment
from tests.browser.accessibility import PHONE, WIDE, find_barriers, show
from tests.browser.test_console import campus, files, registrar
from tests.browser.test_sign_on import click, complaints, fill, wait_for
from tests.rest_api.callers import Campus

__all__ = ["campus", "files", "registrar"]

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]

MISTAKES = """student_key,email,status
A-8001,,enroled
A-8002,a-8002 at uni-a.example,enrolled
A-8003,,enrolled
A-8004,enrolled
A-8005,,ended
a-8005,,enrolled
A-8006,,enrolled
"""
CORRECTED = """student_key,email,status
A-8001,,enrolled
A-8002,a-8002@uni-a.example,enrolled
A-8004,,enrolled
A-8005,,enrolled
"""


@pytest.fixture
def worker(files: dict[str, int]) -> Iterator[None]:
    """A worker beside the site, as `run_jobs` is; the files that stand still stay as they are."""
    Job.objects.filter(state__in=["running", "waiting"]).update(state="canceled")
    stopped = Event()

    def work() -> None:
        while not stopped.wait(0.2):
            while api.run_next_slice():
                pass
        connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def choose(browser: Chrome, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    browser.find_element(By.NAME, "file").send_keys(str(path))


def test_a_registrar_corrects_five_mistakes_and_approves_a_hold(
    browser: Chrome,
    registrar: Callable[[str], None],
    campus: Campus,
    worker: None,
    tmp_path: Path,
    screenshot: Callable[[str], None],
) -> None:
    show(browser, width=WIDE, scheme="light")
    registrar(f"programs/{campus.program.uuid}/files/")
    click(browser, "Send a file")
    choose(browser, tmp_path, "autumn.csv", MISTAKES)
    click(browser, "Preview")
    wait_for(browser, "This is a preview: nothing has been written yet.")
    for advice in (
        "Write the status exactly as one of",
        "This is no e-mail address.",
        "Add the missing delimiters",
        "Keep the right one and delete the other.",
    ):
        wait_for(browser, advice)
    screenshot("story-1-preview")
    assert not PreemptiveProgramEnrollment.objects.filter(learner__student_key="A-8003").exists()

    click(browser, "Start: write this now")
    wait_for(browser, "5 lines were refused; the others were done.")
    screenshot("story-2-result")
    assert PreemptiveProgramEnrollment.objects.filter(learner__student_key__in=["A-8003", "A-8006"]).count() == 2

    click(browser, "Send the corrected lines")
    choose(browser, tmp_path, "corrected.csv", CORRECTED)
    click(browser, "Preview")
    wait_for(browser, "This is a preview: nothing has been written yet.")
    click(browser, "Start: write this now")
    wait_for(browser, "All lines were done.")
    assert PreemptiveProgramEnrollment.objects.filter(learner__student_key__startswith="A-800").count() == 6

    registrar("")
    click(browser, "is held: decide about it")
    wait_for(browser, "The file waits for a decision.")
    fill(browser, reason="They graduated")
    browser.find_element(By.XPATH, "//button[@name='removals'][@value='true']").click()
    wait_for(browser, "with the removals")
    # Only the finished file says so; what is to be removed is listed before the decision, too.
    wait_for(browser, "All lines were done.")
    wait_for(browser, "enrolled → canceled")
    screenshot("story-3-approved")
    assert PreemptiveProgramEnrollment.objects.filter(status="canceled").exists()
    assert complaints(browser) == []


def test_without_scripts_a_file_is_previewed_and_followed_all_the_same(
    browser: Chrome, registrar: Callable[[str], None], campus: Campus, files: dict[str, int], tmp_path: Path
) -> None:
    show(browser, width=PHONE, scheme="light")
    Job.objects.filter(state__in=["running", "waiting"]).update(state="canceled")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    registrar(f"programs/{campus.program.uuid}/files/send/")
    choose(browser, tmp_path, "autumn.csv", "student_key,status\nA-8001,enrolled\n")
    click(browser, "Preview")
    wait_for(browser, "waits for its turn")

    while api.run_next_slice():
        pass
    click(browser, "Look again")

    wait_for(browser, "This is a preview: nothing has been written yet.")


def test_a_registrar_undoes_a_file_after_a_look(
    browser: Chrome,
    registrar: Callable[[str], None],
    campus: Campus,
    worker: None,
    tmp_path: Path,
    screenshot: Callable[[str], None],
) -> None:
    show(browser, width=WIDE, scheme="light")
    registrar(f"programs/{campus.program.uuid}/files/send/")
    text = "student_key,status\n" + "".join(f"A-81{number:02},enrolled\n" for number in range(5))
    choose(browser, tmp_path, "last-year.csv", text)
    click(browser, "Preview")
    wait_for(browser, "This is a preview: nothing has been written yet.")
    click(browser, "Start: write this now")
    wait_for(browser, "All lines were done.")
    screenshot("undo-1-file")
    learner = PreemptiveProgramEnrollment.objects.get(learner__student_key="A-8103")
    api.write_program_enrollments(
        program=learner.program,
        rows=[ProgramEnrollmentRequest("A-8103", "A-8103", "", "pending")],
        verb=Verb.UPDATE,
        origin=Origin(source="api"),
    )

    click(browser, "Show what an undo would put back")
    wait_for(browser, "This is a preview: nothing has been put back yet.")
    wait_for(browser, "enrolled → not enrolled any more")
    screenshot("undo-2-preview")
    show(browser, width=PHONE, scheme="dark")
    assert find_barriers(browser, where="preview of an undo") == {}
    screenshot("undo-2-preview-phone-dark")
    show(browser, width=WIDE, scheme="light")
    assert PreemptiveProgramEnrollment.objects.filter(learner__student_key__startswith="A-81").count() == 5

    fill(browser, reason="Last year's file")
    click(browser, "Undo: put this back now")
    wait_for(browser, "1 line was left as it is; the others were put back.")
    wait_for(browser, "changed by somebody else meanwhile")
    screenshot("undo-3-result")
    show(browser, width=WIDE, scheme="dark")
    screenshot("undo-3-result-dark")
    left = PreemptiveProgramEnrollment.objects.filter(learner__student_key__startswith="A-81")
    assert [(row.learner.student_key, row.status) for row in left] == [("A-8103", "pending")]

    click(browser, "No. ")
    wait_for(browser, "This was undone, or is being undone.")
    assert complaints(browser) == []
