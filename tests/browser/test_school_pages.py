"""The pages of a whole school in Chromium: feeds, contacts, changed student IDs, webhooks, acknowledgements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from program_enrollments import api
from program_enrollments.models import Contact, Feed, GradeFreeze, Learner, WebhookEndpoint
from tests.api.feeds.conftest import feed_storage
from tests.browser.accessibility import WIDE, each_mode, find_barriers, show
from tests.browser.test_console import ORIGIN, campus, files, registrar
from tests.browser.test_files import choose, worker
from tests.browser.test_sign_on import click, complaints, fill, wait_for
from tests.rest_api.callers import Campus

__all__ = ["campus", "feed_storage", "files", "registrar", "worker"]

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def test_a_registrar_connects_the_universitys_systems(
    browser: Chrome,
    registrar: Callable[[str], None],
    campus: Campus,
    feed_storage: Callable[..., Path],
    screenshot: Callable[[str], None],
) -> None:
    """A feed and its next file, who is mailed, an endpoint and its secrets, and what became of frozen grades."""
    (feed_storage() / "uni-a").mkdir(parents=True)
    found: dict[str, object] = {}
    school = f"schools/{campus.school.key}/"
    show(browser, width=WIDE, scheme="light")

    def look(name: str, path: str) -> None:
        for mode in each_mode(browser, lambda: registrar(path)):
            found.update(find_barriers(browser, where=name, mode=mode))
            screenshot(f"console-{name}-{mode.width}-{mode.scheme}-{mode.media}")

    registrar(f"{school}feeds/")
    click(browser, "Add a feed")
    wait_for(browser, "Your own folder is uni-a.")
    fill(browser, pattern="mcs-*.csv")
    browser.find_element(By.XPATH, "//input[@name='mode'][@value='snapshot']").click()
    click(browser, "Save")
    wait_for(browser, "uni-a/mcs-*.csv")
    wait_for(browser, "06:00")
    feed = Feed.objects.get()
    assert (feed.mode, feed.program) == ("snapshot", campus.program)
    look("feeds", f"{school}feeds/")
    look("feed", f"{school}feeds/{feed.pk}/")

    registrar(f"{school}contacts/")
    fill(browser, email="night.desk@uni-a.example")
    click(browser, "Add")
    wait_for(browser, "night.desk@uni-a.example")
    assert Contact.objects.get().school == campus.school
    look("contacts", f"{school}contacts/")

    registrar(f"{school}webhooks/")
    fill(browser, url="https://sis.uni-a.example/hooks")
    click(browser, "Add")
    wait_for(browser, "The new secret")
    first = browser.find_element(By.CSS_SELECTOR, "code.pe-secret").text
    assert first.startswith("whsec_")
    click(browser, "New secret")
    wait_for(browser, "The new secret")
    assert browser.find_element(By.CSS_SELECTOR, "code.pe-secret").text != first
    registrar(f"{school}webhooks/")
    assert "whsec_" not in browser.page_source, "a secret is shown once"
    assert WebhookEndpoint.objects.get().is_active
    look("webhooks", f"{school}webhooks/")

    api.freeze_grades(program=campus.program, course_run=campus.course_run, origin=ORIGIN)
    version = GradeFreeze.objects.get().version
    grades = f"programs/{campus.program.uuid}/courses/{campus.course_run.course_id}/grades/"
    registrar(f"{grades}versions/{version}/acknowledgements/")
    wait_for(browser, "Nothing has been acknowledged yet")
    fill(browser, lines="A-1000\nA-1001", detail="No such module in our system.")
    browser.find_element(
        By.XPATH, "//select[@name='state'][ancestor::form[@method='post']]/option[@value='rejected']"
    ).click()
    click(browser, "Acknowledge")
    wait_for(browser, "No such module in our system.")
    look("acknowledgements", f"{grades}versions/{version}/acknowledgements/")

    assert found == {}
    assert complaints(browser) == []


def test_student_ids_change_by_a_file_and_change_back(
    browser: Chrome,
    registrar: Callable[[str], None],
    campus: Campus,
    worker: None,
    tmp_path: Path,
    screenshot: Callable[[str], None],
) -> None:
    show(browser, width=WIDE, scheme="light")
    registrar(f"schools/{campus.school.key}/student-keys/")
    click(browser, "Change student IDs by a file")
    choose(browser, tmp_path, "new-ids.csv", "old_student_key,new_student_key\nA-5001,A-5002\nA-5002,A-5001\nA-9,B-9\n")
    click(browser, "Preview")
    wait_for(browser, "becomes A-5002")
    wait_for(browser, "nobody has the old ID")
    found = find_barriers(browser, where="preview of changed IDs")
    screenshot("rekey-1-preview")
    people = dict(Learner.objects.values_list("pk", "student_key"))

    click(browser, "Start: write this now")
    wait_for(browser, "1 line was refused; the others were done.")
    screenshot("rekey-2-result")
    assert dict(Learner.objects.values_list("pk", "student_key")) != people

    click(browser, "Show what an undo would put back")
    wait_for(browser, "This is a preview: nothing has been put back yet.")
    found |= find_barriers(browser, where="preview of an undo")
    screenshot("rekey-3-undo-preview")
    fill(browser, reason="Last year's file")
    click(browser, "Undo: put this back now")
    wait_for(browser, "Everything was put back as it was before the file.")
    screenshot("rekey-4-undone")
    assert dict(Learner.objects.values_list("pk", "student_key")) == people
    assert found == {}
    assert complaints(browser) == []
