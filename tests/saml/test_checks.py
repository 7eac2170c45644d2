from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import connection
from django.urls import include, path
from pytest_django import Settings

from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments.saml import checks
from program_enrollments.saml.backend import UniversitySAML
from program_enrollments.saml.configuration import STEPS

urlpatterns = [path("own/", include([]))]  # of a host that has the pages nowhere

Configure = Callable[..., None]


class OurUniversitySAML(UniversitySAML):
    """As a host may extend it."""


@pytest.fixture
def configure(settings: Settings) -> Configure:
    def change(**values: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SIGN_ON": values}

    return change


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[KeyPair]:
    folder: Path = tmp_path_factory.mktemp("keys")
    made = [KeyPair(folder / name / "key.pem", folder / name / "certificate.pem") for name in ("one", "other")]
    for pair in made:
        make_key_pair(pair=pair, name="service")
    return made


def found() -> list[str]:
    messages: list[CheckMessage] = [
        *checks.check_sign_on_settings(None),
        *checks.check_sign_on_urls(None),
        *checks.check_sign_on_deployment(None),
    ]
    assert all(message.hint for message in messages), "each says what to do"
    return [str(message.id).removeprefix("university_enrollments.") for message in messages]


def test_the_demo_is_set_up_well() -> None:
    assert found() == []


def test_a_host_with_a_set_up_of_its_own_hears_nothing(settings: Settings, configure: Configure) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.ROOT_URLCONF = __name__
    configure(NONSENSE=1)

    assert found() == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"ENTTIY_ID": "x"}, ["E020", "W021", "W021"]),
        ({"ENTITY_ID": "x", "SUPPORT_CONTACT": {"email": "a@b.example"}}, []),
        ({}, ["W021", "W021"]),
        ({"ENTITY_ID": "x"}, ["W021"]),
        ({"CLOCK_SKEW_SECONDS": -1}, ["E020", "W021", "W021"]),
        ({"CLOCK_SKEW_SECONDS": 3600}, ["E020", "W021", "W021"]),
        ({"PRIVATE_KEY": "nonsense"}, ["E021", "W021", "W021"]),
        ({"CERTIFICATE": "nonsense", "NEXT_CERTIFICATE": "nonsense"}, ["E021", "E021", "W021", "W021"]),
        ({"PIPELINE": ["nowhere.step"]}, ["E022", "E022", "W021", "W021"]),
        ({"PIPELINE": [*STEPS, "nowhere.step"]}, ["E022", "W021", "W021"]),
        ({"PIPELINE": [*STEPS, "demo_lms.sign_in.pipeline.ask_to_confirm"]}, ["W021", "W021"]),
    ],
    ids=str,
)
def test_settings(configure: Configure, values: dict[str, Any], expected: list[str]) -> None:
    configure(**values)

    assert found() == expected


def test_keys(configure: Configure, pairs: list[KeyPair]) -> None:
    (key, certificate), (_other_key, other_certificate) = [
        (pair.key.read_text(encoding="ascii"), pair.certificate.read_text(encoding="ascii")) for pair in pairs
    ]
    contact = {"ENTITY_ID": "x", "SUPPORT_CONTACT": {"email": "a@b.example"}}
    for values, expected in (
        ({"PRIVATE_KEY": key, "CERTIFICATE": certificate}, []),
        ({"PRIVATE_KEY": key, "CERTIFICATE": certificate, "NEXT_CERTIFICATE": other_certificate}, []),
        ({"PRIVATE_KEY": key}, ["E021"]),
        ({"PRIVATE_KEY": key, "CERTIFICATE": other_certificate}, ["E021"]),
    ):
        configure(**contact, **values)
        assert found() == expected


def test_pages_without_backend(settings: Settings) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "nowhere.Backend"]

    assert found() == ["W020"]


@pytest.mark.parametrize("backend", [checks.BACKEND, f"{__name__}.OurUniversitySAML"])
def test_backend_without_pages(settings: Settings, backend: str) -> None:
    settings.AUTHENTICATION_BACKENDS = [backend]
    settings.ROOT_URLCONF = __name__

    assert found() == ["E023"]


@pytest.mark.django_db
def test_a_column_that_takes_two_ids_for_one() -> None:
    problems = checks.check_uid_collation(None, databases=["default"])

    assert [message.id for message in problems] == (
        ["university_enrollments.W022"] if connection.vendor == "mysql" else []
    )
    assert checks.check_uid_collation(None, databases=None) == []


@pytest.mark.django_db
@pytest.mark.only_on("mariadb")
def test_a_binary_collation_is_fine() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW FULL COLUMNS FROM social_auth_usersocialauth LIKE 'uid'")
        before = cursor.fetchone()[2]
        change = "ALTER TABLE social_auth_usersocialauth MODIFY uid varchar(255) COLLATE {} NOT NULL"
        cursor.execute(change.format("utf8mb4_bin"))
        try:
            assert checks.check_uid_collation(None, databases=["default"]) == []
        finally:
            cursor.execute(change.format(before))


MISMATCH = """
class InternalError(Exception):
    pass

raise InternalError(-1, "lxml & xmlsec libxml2 library version mismatch")
"""


@pytest.mark.once
class TestALibraryThatDoesNotFit:
    """xmlsec raises an error of its own when it was built with another libxml2 than lxml: at its import."""

    def check(self, folder: Path, settings_module: str) -> subprocess.CompletedProcess[str]:
        (folder / "xmlsec.py").write_text(MISMATCH, encoding="utf-8")
        (folder / "settings_without_sign_on.py").write_text(WITHOUT_SIGN_ON, encoding="utf-8")
        path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
        return subprocess.run(
            [sys.executable, "-m", "django", "check"],
            env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": settings_module},
            capture_output=True,
            text=True,
            check=False,
        )

    def test_is_a_finding_with_advice(self, tmp_path: Path) -> None:
        done = self.check(tmp_path, "test_settings")

        assert "Traceback" not in done.stderr
        assert "university_enrollments.E024" in done.stderr
        assert "version mismatch" in done.stderr
        assert "libxml2" in done.stderr.partition("HINT")[2]
        assert done.returncode == 1

    def test_is_nothing_to_a_host_without_single_sign_on(self, tmp_path: Path) -> None:
        done = self.check(tmp_path, "settings_without_sign_on")

        assert done.returncode == 0, done.stderr
        assert re.findall(r"university_enrollments\.(\w+)", done.stderr) == ["W001"], "no backend, as meant"


WITHOUT_SIGN_ON = """
from test_settings import *

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "program_enrollments.rest_api.urls"
"""
