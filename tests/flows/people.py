"""Who the stories are about: a university with its student information system, and students with their browsers.

Everybody acts over HTTP, against the demo LMS. What a request leaves for after its commit is done when it is over, as
on a real site.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from django.core import mail
from django.test import Client

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, Curriculum, Program, School
from tests.factories.accounts import MODEL, USERNAME, asserted_address, username_of
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory
from tests.rest_api.callers import Caller, caller_granted

OnCommit = Callable[..., AbstractContextManager[Any]]
PASSWORD = "a long enough password"


@dataclass
class University:
    """A school with one identity provider, its SIS, and programs with one course run each."""

    slug: str
    on_commit: OnCommit
    school: School = field(init=False)
    sis: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.school = IdentityProviderFactory(slug=self.slug, school__key=self.slug).school
        self.sis = caller_granted(*Permission, school=self.school)

    def open_program(self) -> Program:
        curriculum: Curriculum = CurriculumFactory(program__school=self.school)
        return curriculum.program

    def open_course(self, *programs: Program) -> CourseRun:
        run: CourseRun = CourseRunFactory(curricula=Curriculum.objects.filter(program__in=programs))
        return run

    def enroll(self, program: Program, *rows: dict[str, Any], run: CourseRun | None = None) -> dict[str, str]:
        """Write rows into the program, or into a course run of it, and return the answer's words."""
        with self.on_commit(execute=True):
            response = self.sis.put(f"{self._path(program, run)}enrollments/", list(rows))
        answer: dict[str, str] = response.json()
        return answer

    def students(self, program: Program, *, run: CourseRun | None = None) -> dict[str, dict[str, Any]]:
        """Return the list of enrollments, by student key."""
        response = self.sis.get(f"{self._path(program, run)}enrollments/")
        assert response.status_code == 200
        return {row["student_key"]: row for row in response.json()["results"]}

    def look_up(self, program: Program, student_key: str) -> dict[str, Any]:
        response = self.sis.get(f"programs/{program.uuid}/learners/", query={"student_key": student_key})
        assert response.status_code == 200
        learner: dict[str, Any] = response.json()
        return learner

    def _path(self, program: Program, run: CourseRun | None) -> str:
        return f"programs/{program.uuid}/" + (f"courses/{run.course_id}/" if run else "")


@dataclass
class Student:
    """A person with a browser."""

    on_commit: OnCommit
    browser: Client = field(default_factory=Client)

    def sign_on(self, remote_id: str, *, slug: str = "uni-a", email: str = "") -> None:
        """Sign in through a university that asserts this student ID. It always works."""
        email = email or asserted_address(remote_id=remote_id, slug=slug)
        asserted = {"idp": slug, "remote_id": remote_id, **({"email": email} if email else {})}
        with self.on_commit(execute=True):
            response = self.browser.post("/dev/sign-in/", asserted)
        assert response.status_code == 302
        assert self.browser.session.get("_auth_user_id"), "a sign-in never breaks"

    def sign_up(self, username: str, email: str) -> None:
        """Make an account with a password; a mail with a link goes to the address."""
        form = {USERNAME: username_of(username), "email": email, "password1": PASSWORD, "password2": PASSWORD}
        with self.on_commit(execute=True):
            response = self.browser.post("/accounts/sign-up/", form)
        assert response.status_code == 302

    def follow_the_mailed_link(self) -> None:
        match = re.search(r"https?://[^/\s]+(/\S+)", str(mail.outbox[-1].body))
        assert match, "a mail with a link was sent"
        with self.on_commit(execute=True):
            response = self.browser.get(match[1])
            if response.status_code == 200 and b"<form" in response.content:
                response = self.browser.post(match[1])
        assert response.status_code in {200, 302}

    @property
    def account(self) -> Any:
        return MODEL._default_manager.get(pk=self.browser.session["_auth_user_id"])

    @property
    def username(self) -> str:
        return str(self.account.get_username())

    def seat(self, run: CourseRun) -> tuple[str, bool] | None:
        """Return mode and activity of the platform's course enrollment; None if there is none."""
        seats = rows_of(CourseEnrollment).filter(user=self.account, course_run_id=run.course_id)
        return seats.values_list("mode", "is_active").first()

    def dashboard(self) -> str:
        return self.browser.get("/dashboard/").content.decode()
