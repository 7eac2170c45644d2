"""Printed confirmations: what a code proves, and that it tells nothing that the paper doesn't say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from program_enrollments import api
from program_enrollments.data import ProgramStatus
from program_enrollments.models import Learner, Program, ProgramEnrollment
from tests.console.conftest import Page
from tests.dashboard.conftest import Student, enroll, rename
from tests.factories.enrollment import LearnerFactory, ProgramEnrollmentFactory
from tests.factories.host import ConfirmedUserFactory

pytestmark = pytest.mark.once

CHECK = "/programs/confirmations/"


def print_page(student: Student, program: Program) -> str:
    """Return the code on the paper."""
    (code,) = student.open("program", program.uuid).tree.xpath('//*[@class="pe-confirmation"]//code/text()')
    assert re.fullmatch(r"([0-9A-Z]{5}-){5}[0-9A-Z]{4}", code)
    return str(code)


def check(code: str) -> Page:
    """What anybody gets who sends the code."""
    response = Client().post(CHECK, {"code": code})
    return Page(response.status_code, response.content.decode(), dict(response.headers))


@pytest.fixture
def paper(student: Student, program: Program) -> str:
    rename(student.user, first_name="Alex", last_name="Example")
    student.user.refresh_from_db()
    enroll(student.user, program)
    return print_page(student, program)


def test_the_paper_says_what_a_registrar_would(student: Student, program: Program, paper: str) -> None:
    (shown,) = student.open("program", program.uuid).tree.xpath('//*[@class="pe-confirmation"]')
    text = " ".join(shown.text_content().split())
    for words in ("Alex Example", "S-1", "University A", "Master of Computer Science", "enrolled, since", paper):
        assert words in text
    assert f"http://testserver{CHECK}" in text


def test_whoever_has_the_paper_can_check_it(paper: str) -> None:
    assert Client().get(CHECK).status_code == 200
    for typed in (paper, paper.lower(), paper.replace("-", ""), f"  {paper} ", paper.replace("0", "O")):
        page = check(typed)
        assert "The paper is genuine, and still holds." in page.text
        for words in ("Alex Example", "University A", "Master of Computer Science", "enrolled"):
            assert words in page.text


def test_a_paper_that_no_longer_holds_says_no_more_than_the_paper(paper: str) -> None:
    ProgramEnrollment.objects.update(status=ProgramStatus.SUSPENDED)
    page = check(paper)
    assert "The paper is genuine, but no longer holds." in page.text
    assert "suspended" not in page.text, "why is nobody's business"
    assert "enrolled" in page.text


def test_codes_that_prove_nothing(student: Student, program: Program, paper: str) -> None:
    forged = ["", "x", "0" * 29, "Z" * 29, paper[:-1], paper + "0", "ß" * 29, paper.translate({ord(paper[0]): "7"})]
    ProgramEnrollmentFactory(learner__user=ConfirmedUserFactory())  # whose key some of these codes have
    for position in range(len(paper)):
        if paper[position] != "-":
            replaced = "1" if paper[position] != "1" else "2"
            forged.append(paper[:position] + replaced + paper[position + 1 :])
    for code in forged:
        page = check(code)
        assert (page.status, "This code proves nothing." in page.text) == (400, True), code
        assert "Alex" not in page.text


def test_a_name_or_an_account_that_changed_is_not_vouched_for(student: Student, paper: str) -> None:
    rename(student.user, first_name="Somebody", last_name="Else")
    assert check(paper).status == 400
    assert "Somebody" not in check(paper).text
    rename(student.user, first_name="alex", last_name="EXAMPLE")
    assert check(paper).status == 200, "one notion of equality"
    other = ConfirmedUserFactory(first_name="Alex", last_name="Example")
    Learner.objects.update(user=other)
    assert check(paper).status == 400
    Learner.objects.update(user=None, link_how="", linked_at=None)
    assert check(paper).status == 400


def test_a_former_secret_key_counts_while_it_is_kept(paper: str, settings: Any) -> None:
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another one"
    assert api.check_confirmation(code=paper) is None
    settings.SECRET_KEY_FALLBACKS = [former]
    assert api.check_confirmation(code=paper) is not None


def test_checking_reads_one_row_and_writes_none(paper: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        check(paper)
    assert len(captured) == 1
    with CaptureQueriesContext(connection) as captured:
        check("nonsense")
    assert not captured.captured_queries


def test_the_code_is_in_no_address(paper: str) -> None:
    page = check(paper)
    assert paper not in " ".join(page.tree.xpath("//@href")) + " ".join(page.tree.xpath("//@action"))
    assert "no-store" in page.headers["Cache-Control"]


def test_an_enrollment_without_an_account_has_no_paper(program: Program) -> None:
    enrollment = ProgramEnrollmentFactory(
        curriculum=program.curricula.get(), learner=LearnerFactory(school=program.school)
    )
    assert enrollment.pk
    assert check("0" * 29).status == 400
