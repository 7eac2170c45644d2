"""Program administrators at work, and what their pages say."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from lxml import html
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.data import (
    CourseEnrollmentRequest,
    JobKind,
    Origin,
    Permission,
    ProgramEnrollmentRequest,
    Source,
    Verb,
)
from program_enrollments.models import Learner
from tests.factories.enrollment import GrantFactory
from tests.factories.host import UserFactory
from tests.rest_api.callers import Campus, make_campus

ORIGIN = Origin(source=Source.API.value)


@dataclass
class Page:
    """A page as a browser gets it."""

    status: int
    content: str
    headers: dict[str, str]
    redirected_to: str = ""

    @property
    def tree(self) -> Any:
        return html.fromstring(self.content)

    @property
    def text(self) -> str:
        """What a person reads."""
        (body,) = self.tree.xpath("//body")
        return " ".join(body.text_content().split())

    @property
    def heading(self) -> str:
        return " ".join(self.tree.xpath("string(//h1)").split())

    def rows(self) -> list[str]:
        """Return the text of each row of the page's tables."""
        return [" ".join(" ".join(row.itertext()).split()) for row in self.tree.xpath("//tbody/tr")]

    def messages(self) -> list[str]:
        return [" ".join(one.text_content().split()) for one in self.tree.xpath('//*[contains(@class,"pe-message ")]')]

    def errors(self) -> list[str]:
        return [" ".join(one.text_content().split()) for one in self.tree.xpath('//*[@class="pe-error"]')]

    def links(self) -> list[str]:
        return [str(link) for link in self.tree.xpath("//nav//a/@href")]


@dataclass
class Desk:
    """Somebody at the console."""

    user: User
    client: Client = field(default_factory=Client)

    def __post_init__(self) -> None:
        self.client.force_login(self.user)

    def open(self, name: str, /, *args: Any, **query: Any) -> Page:
        return self._page(self.client.get(reverse(f"console:{name}", args=args), query))

    def send(self, name: str, /, *args: Any, **data: Any) -> Page:
        """Post a form, and follow where it leads."""
        response = self.client.post(reverse(f"console:{name}", args=args), data)
        if response.status_code != 302:
            return self._page(response)
        followed = self._page(self.client.get(response["Location"]))
        followed.redirected_to = response["Location"]
        return followed

    def download(self, name: str, /, *args: Any, **query: Any) -> list[str]:
        """Return the lines of a list's CSV file."""
        response: Any = self.client.get(reverse(f"console:{name}", args=args), {"format": "csv", **query})
        assert response.status_code == 200
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        return b"".join(response.streaming_content).decode().splitlines()

    @staticmethod
    def _page(response: Any) -> Page:
        return Page(response.status_code, response.content.decode(), dict(response.headers))


def administrator(*permissions: Permission, campus: Campus, everywhere: bool = True) -> Desk:
    """Somebody with these permissions on the campus's school, or else on its program alone."""
    user = UserFactory()
    place = {"school": campus.school} if everywhere else {"school": None, "program": campus.program}
    for permission in permissions:
        GrantFactory(user=user, permission=permission, **place)
    return Desk(user)


def enroll(campus: Campus, *student_keys: str, status: str = "enrolled", active: bool = False) -> None:
    """Enroll learners without accounts in the program, and in the course run if they are to be active there."""
    api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest(key, key, "", status) for key in student_keys],
        verb=Verb.UPSERT,
        origin=ORIGIN,
    )
    if active:
        api.write_course_enrollments(
            program=campus.program,
            course_run=campus.course_run,
            rows=[CourseEnrollmentRequest(key, key, "", "active") for key in student_keys],
            verb=Verb.UPSERT,
            origin=ORIGIN,
        )


def run_jobs() -> None:
    """Work off every file that is due."""
    while api.run_next_slice():
        pass


def keep_file(campus: Campus, text: str, *, user_id: int | None = None, **options: Any) -> api.Job:
    """Send a file through the domain, work it off, and return its job as it is then."""
    raw = text.encode()
    job = api.upload_file(
        program=options.pop("program", campus.program),
        kind=options.pop("kind", JobKind.PROGRAM_ENROLLMENTS),
        sent=api.SentFile(io.BytesIO(raw), "nightly.csv", len(raw), hashlib.sha256(raw).hexdigest()),
        options=api.UploadOptions(**options),
        origin=replace(ORIGIN, actor_id=user_id),
    )
    run_jobs()
    job.refresh_from_db()
    return job


def keep_rekeys(campus: Campus, *lines: str, **options: Any) -> api.Job:
    """Send a file of student IDs through the domain, work it off, and return its job as it is then."""
    raw = "\n".join(["old_student_key,new_student_key", *lines, ""]).encode()
    job = api.upload_rekeys(
        school=campus.school,
        sent=api.SentFile(io.BytesIO(raw), "ids.csv", len(raw), hashlib.sha256(raw).hexdigest()),
        options=api.RekeyOptions(**options),
        origin=ORIGIN,
    )
    run_jobs()
    job.refresh_from_db()
    return job


def learner_id(campus: Campus, student_key: str) -> int:
    return Learner.objects.get(school=campus.school, student_key=student_key).pk


@pytest.fixture
def campus(db: None) -> Campus:
    return make_campus("uni-a")


@pytest.fixture
def registrar(campus: Campus) -> Desk:
    """Somebody with every permission on the school."""
    return administrator(*Permission, campus=campus)


@pytest.fixture
def holding(campus: Campus) -> Callable[..., Desk]:
    """Makes somebody with the given permissions on the school."""
    return lambda *permissions: administrator(*permissions, campus=campus)


@pytest.fixture
def file_storage(settings: Settings, tmp_path: Path) -> Path:
    """A folder of its own for the files that people send."""
    settings.STORAGES = {
        **settings.STORAGES,
        "program_enrollments": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    return tmp_path


@pytest.fixture(scope="session")
def universities_certificate() -> str:
    """A certificate that an identity provider signs with, which ends in ten days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=10))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
