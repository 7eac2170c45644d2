"""The dashboard inside a page of the host."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from lxml import html

from program_enrollments.models import Program
from tests.dashboard.conftest import Student, enroll

pytestmark = pytest.mark.once

PAGE = "{% load program_dashboard %}{% program_dashboard_styles %}<main>{% program_dashboard ARGUMENTS %}</main>"


def render(user: Any, arguments: str = "", **of_request: Any) -> Any:
    request: Any = RequestFactory().get("/")
    request.user = user
    for name, value in of_request.items():
        setattr(request, name, value)
    return html.fromstring(Template(PAGE.replace("ARGUMENTS", arguments)).render(Context({"request": request})))


def test_everything_is_below_one_class(student: Student, program: Program) -> None:
    enroll(student.user, program)
    tree = render(student.user)
    (root,) = tree.xpath("//main/*")
    assert set(root.get("class").split()) == {"pe", "pe-embedded", "pe-only-light"}
    assert not root.xpath(".//h1 | .//h2 | .//main | .//script | .//*[@style]"), "the page's outline is the host's"
    (link,) = root.xpath(".//h3/a")
    assert link.get("href") == f"/programs/{program.uuid}/"
    assert tree.xpath("//link/@href") == ["/static/program_enrollments/pages/pages.css"]


def test_styles_have_the_nonce_of_the_hosts_policy(student: Student, program: Program) -> None:
    enroll(student.user, program)
    assert render(student.user, csp_nonce="n0nce").xpath("//style/@nonce") == ["n0nce"]
    assert render(student.user).xpath("//style/@nonce") == []


def test_dark_where_the_host_says_so(student: Student, program: Program) -> None:
    enroll(student.user, program)
    (root,) = render(student.user, "dark=True").xpath("//main/*")
    assert "pe-only-light" not in root.get("class")


@pytest.mark.django_db
def test_nothing_for_who_is_not_signed_in() -> None:
    (main,) = render(AnonymousUser()).xpath("//main")
    assert not main.text_content().strip()


def test_says_what_to_do_without_a_program(student: Student) -> None:
    text = render(student.user).text_content()
    assert "You are in no program yet." in text
    assert "No university knows this account yet." in text
