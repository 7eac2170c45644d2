"""A caller's view of the API: clients with tokens and grants, and what they are granted something on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Protocol

from django.test import Client
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, Curriculum, Program, School
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, GrantFactory, SchoolFactory
from tests.factories.host import ServiceUserFactory
from tests.rest_api.conformance import check_answer

ROOT = "/api/program_enrollments/v1/"
_tokens = count()


class AppSettings(Protocol):
    """Changes settings of the app for one test."""

    def __call__(self, **changes: Any) -> None: ...


@dataclass
class Caller:
    """A client of the API; every answer is held against the OpenAPI document. `send` is everything; the others are
    shorter. Paths are below the root. Bodies that are no bytes are sent as JSON.
    """

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def send(
        self,
        method: str,
        path: str,
        body: Any = b"",
        *,
        query: dict[str, Any] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        environ: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.client.generic(
            method,
            path if path.startswith(("/", "http")) else ROOT + path,
            raw,
            content_type=content_type,
            headers={**self.headers, **(headers or {})},
            query_params=query,
            **(environ or {}),
        )
        check_answer(response, method=method)
        return response

    def get(self, path: str, **options: Any) -> Any:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Any:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Any:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Any:
        return self.send("PATCH", path, body, **options)


def caller_as(user: Any) -> Caller:
    """A caller with an access token of this user."""
    token = f"token-{next(_tokens)}"
    get_access_token_model().objects.create(user=user, token=token, expires=timezone.now() + timedelta(hours=1))
    return Caller({"Authorization": f"Bearer {token}"})


def caller_granted(*permissions: Permission, school: School | None = None, program: Program | None = None) -> Caller:
    """A caller with these permissions on a school or on a program."""
    user = ServiceUserFactory()
    for permission in permissions:
        GrantFactory(user=user, school=school, program=program, permission=permission)
    return caller_as(user)


@dataclass(frozen=True)
class Campus:
    """A school, one program of it with one curriculum, and one course run in that."""

    curriculum: Curriculum
    course_run: CourseRun

    @property
    def program(self) -> Program:
        return self.curriculum.program

    @property
    def school(self) -> School:
        return self.program.school

    @property
    def path(self) -> str:
        """The program's path below the root."""
        return f"programs/{self.program.uuid}/"

    @property
    def enrollments(self) -> str:
        return f"{self.path}enrollments/"

    @property
    def course_path(self) -> str:
        return f"{self.path}courses/{self.course_run.course_id}/"

    @property
    def course_enrollments(self) -> str:
        return f"{self.course_path}enrollments/"


def make_campus(key: str) -> Campus:
    curriculum = CurriculumFactory(program__school=SchoolFactory(key=key))
    return Campus(curriculum, CourseRunFactory(curricula=[curriculum]))
