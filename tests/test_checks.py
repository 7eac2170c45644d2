"""System checks: each finds what it is for, says what to do, and is silent about a good set-up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import checks as django_checks
from django.db import connection
from pytest_django import Settings

from demo_lms.host import DemoHost
from program_enrollments import checks
from program_enrollments.conf import DEFAULTS

ROOT = Path(__file__).parent.parent
Configure = Callable[..., None]


class HostWithoutGrades(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        del self.grades


class HostOfAnOldVersion(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_roles = OldRoles()  # type: ignore[assignment]


class OldRoles:
    def fetch_course_staff(self, *, user_ids: object) -> set[tuple[int, str]]:
        return set()

    def grant_course_staff(self, *, pairs: object) -> dict[object, object]:
        return {}


class HostThatCannotBeCreated(DemoHost):
    def __init__(self, url: str) -> None:
        super().__init__()


@pytest.fixture(autouse=True)
def storage(settings: Settings) -> None:
    """Keep the files of schools in a storage of their own, as a host in production does."""
    files = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "program_enrollments": files}


@pytest.fixture
def configure(settings: Settings) -> Configure:
    """Change settings of the app for one test."""

    def change(**values: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, **values}

    return change


def ids(messages: list[django_checks.CheckMessage]) -> list[str]:
    return [(message.id or "").removeprefix("university_enrollments.") for message in messages]


def all_ids() -> list[str]:
    found = django_checks.run_checks(include_deployment_checks=True)
    return [number for number in ids(found) if re.fullmatch(r"[EW]\d+", number)]


def test_the_demos_set_up_is_good_on_every_database(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

    assert all_ids() == []


def test_every_setting_has_a_rule_and_its_default_keeps_it() -> None:
    assert checks.RULES.keys() == DEFAULTS.keys()
    assert [name for name, (fits, _) in checks.RULES.items() if not fits(DEFAULTS[name])] == []


@pytest.mark.parametrize(
    ("host", "number", "told"),
    [
        (None, "E001", "is missing"),
        ("", "E001", "is missing"),
        (42, "E001", "is missing"),
        ("nowhere.to.be.Found", "E002", "cannot be imported"),
        ("demo_lms.host.NoSuchHost", "E002", "cannot be imported"),
        ("NoDots", "E002", "cannot be imported"),
        (f"{__name__}.HostThatCannotBeCreated", "E002", "cannot be created: TypeError"),
        (f"{__name__}.HostWithoutGrades", "E003", "has no port “grades”"),
    ],
)
def test_a_host_that_is_missing_or_incomplete(host: Any, number: str, told: str, configure: Configure) -> None:
    configure(HOST=host)

    (message,) = checks.check_host(None)

    assert ids([message]) == [number]
    assert told in message.msg
    assert message.hint


def test_a_port_of_an_old_version_is_told_method_by_method(configure: Configure) -> None:
    configure(HOST=f"{__name__}.HostOfAnOldVersion")

    told = [message.msg for message in checks.check_host(None)]

    assert len(told) == 2
    assert "cannot be called as “course_roles.fetch_course_staff(user_ids, course_ids)”" in told[0]
    assert "has no method “course_roles.revoke_course_staff”" in told[1]


def test_settings_that_are_no_dict(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = ["HOST"]

    assert ids(checks.check_settings(None)) == ["E004"]
    assert ids(checks.check_host(None)) == ["E001"]
    assert checks.check_authentication(None) == []
    assert checks.check_cache(None) == []


def test_a_name_that_is_no_setting_gets_the_one_that_was_meant(configure: Configure) -> None:
    configure(CHUNKSIZE=10, completely_different=1)

    found = {message.msg: message.hint for message in checks.check_settings(None)}

    assert found == {
        'PROGRAM_ENROLLMENTS has no setting "CHUNKSIZE".': 'Did you mean "CHUNK_SIZE"?',
        'PROGRAM_ENROLLMENTS has no setting "completely_different".': (
            "Take it out; docs/settings.rst lists all settings."
        ),
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAML_BACKENDS", "tpa-saml"),
        ("SAML_BACKENDS", [""]),
        ("SAML_BACKENDS", [None]),
        ("COURSE_MODE", ""),
        ("COURSE_MODE", None),
        ("UPGRADABLE_MODES", {"audit"}),
        ("MAX_BODY_BYTES", 0),
        ("MAX_ROWS", "10000"),
        ("CHUNK_SIZE", True),
        ("CHUNK_SIZE", -1),
        ("PAGE_SIZE", 1.5),
        ("MAX_TRIES", None),
        ("TRANSACTION_TRIES", 0),
        ("AUTHENTICATION_CLASSES", "a.b"),
        ("SIGN_IN_HOST_SECONDS", 0),
        ("SIGN_IN_HOST_SECONDS", True),
        ("DASHBOARD_HOST_SECONDS", 0),
        ("CALL_HOST_SECONDS", "60"),
        ("CALL_HOST_SECONDS", float("inf")),
        ("THROTTLE_RATE", "100"),
        ("THROTTLE_RATE", "fast/second"),
        ("THROTTLE_RATE", 100),
        ("IDEMPOTENCY_HOURS", 0),
        ("DISCOVERY", None),
        ("SIGN_ON", []),
    ],
)
def test_a_value_of_the_wrong_kind(name: str, value: Any, configure: Configure) -> None:
    configure(**{name: value})

    (message,) = checks.check_settings(None)

    assert ids([message]) == ["E006"]
    assert f'["{name}"]' in message.msg
    assert (message.hint or "").startswith("It has to be")


@pytest.mark.parametrize("seconds", [0.5, 5, None])
def test_seconds_can_be_any_number_above_nought(configure: Configure, seconds: float | None) -> None:
    configure(SIGN_IN_HOST_SECONDS=seconds, CALL_HOST_SECONDS=seconds)
    assert checks.check_settings(None) == []


@pytest.mark.parametrize("rate", ["100/second", "1 / m", "0/d", "5/Hour", None])
def test_rates_that_are_fine(rate: str | None, configure: Configure) -> None:
    configure(THROTTLE_RATE=rate)

    assert checks.check_settings(None) == []


def test_secrets_are_not_told(configure: Configure) -> None:
    configure(DISCOVERY="CLIENT_SECRET=hunter2", SIGN_ON=("-----BEGIN PRIVATE KEY-----",))

    told = " ".join(message.msg for message in checks.check_settings(None))

    assert "hunter2" not in told
    assert "PRIVATE" not in told


def test_a_page_larger_than_the_largest(configure: Configure) -> None:
    configure(PAGE_SIZE=500, MAX_PAGE_SIZE=100)

    assert ids(checks.check_settings(None)) == ["E007"]


@pytest.mark.parametrize("path", ["nowhere.Authentication", "NoDots", "demo_lms.host.DemoHost", "django.conf.settings"])
def test_authentication_classes_that_are_none(path: str, configure: Configure) -> None:
    configure(AUTHENTICATION_CLASSES=[path, "rest_framework.authentication.SessionAuthentication"])

    (message,) = checks.check_authentication(None)

    assert ids([message]) == ["E008"]
    assert path in message.msg


def test_nobody_can_authenticate(configure: Configure, settings: Settings) -> None:
    configure(AUTHENTICATION_CLASSES=[])
    assert ids(checks.check_authentication(None)) == ["W002"]

    configure(AUTHENTICATION_CLASSES=None)
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_AUTHENTICATION_CLASSES": []}
    assert ids(checks.check_authentication(None)) == ["W002"]


def test_no_backend_through_which_universities_speak(settings: Settings, configure: Configure) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "gone.Backend"]
    assert ids(checks.check_authentication(None)) == ["W001"]

    settings.AUTHENTICATION_BACKENDS = ["social_core.backends.saml.SAMLAuth"]
    assert checks.check_authentication(None) == []
    configure(SAML_BACKENDS=["tpa-saml"])
    assert ids(checks.check_authentication(None)) == ["W001"]


def test_local_times(settings: Settings) -> None:
    settings.USE_TZ = False

    assert ids(checks.check_time_zones(None)) == ["E009"]


def test_without_the_middleware_a_bad_host_header_would_get_a_page(settings: Settings) -> None:
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if not path.startswith("program_enrollments")]
    assert all_ids() == ["W007"]


def test_the_middleware_behind_djangos_comes_too_late(settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[1:], settings.MIDDLEWARE[0]]
    assert all_ids() == ["W007"]


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_limit_of_requests_without_a_shared_cache(backend: str, settings: Settings, configure: Configure) -> None:
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    configure(THROTTLE_RATE="100/second")
    assert ids(checks.check_cache(None)) == ["W005"]

    configure(THROTTLE_RATE=None)
    assert checks.check_cache(None) == []


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    ("options", "number"),
    [({}, ["W003"]), ({"transaction_mode": "DEFERRED"}, ["W003"]), ({"transaction_mode": "immediate"}, [])],
)
def test_sqlite_without_immediate_transactions(
    options: dict[str, str], number: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert ids(checks.check_database_settings(None)) == number


@pytest.mark.only_on("sqlite")
def test_an_old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.db.backends.sqlite3.base.Database.sqlite_version_info", (3, 34, 1))

    assert ids(checks.check_database_settings(None)) == ["E010"]


@pytest.mark.only_on("mariadb")
@pytest.mark.parametrize(("level", "number"), [("repeatable read", ["E011"]), (None, ["E011"]), ("READ COMMITTED", [])])
def test_mysql_with_another_isolation_level(
    level: str | None, number: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"isolation_level": level})

    assert ids(checks.check_database_settings(None)) == number


@pytest.mark.only_on("postgresql")
def test_postgresql_with_another_isolation_level(monkeypatch: pytest.MonkeyPatch) -> None:
    from psycopg import IsolationLevel  # noqa: PLC0415  (there on PostgreSQL only)

    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"isolation_level": IsolationLevel.SERIALIZABLE})
    assert ids(checks.check_database_settings(None)) == ["W004"]
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"isolation_level": IsolationLevel.READ_COMMITTED})
    assert checks.check_database_settings(None) == []


@pytest.mark.django_db
def test_the_test_database_itself_is_good() -> None:
    assert checks.check_database(None, databases=["default"]) == []
    assert checks.check_database(None, databases=None) == []


@pytest.mark.only_on("mariadb")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variable", "bad", "good", "number"),
    [
        ("default_storage_engine", "MyISAM", "InnoDB", "E012"),
        ("character_set_connection", "latin1", "utf8mb4", "E013"),
    ],
)
def test_mysql_that_is_set_up_otherwise(variable: str, bad: str, good: str, number: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION {variable} = {bad}")
        found = checks.check_database(None, databases=["default"])
        cursor.execute(f"SET SESSION {variable} = {good}")

    assert ids(found) == [number]
    assert checks.check_database(None, databases=["default"]) == []


def test_tables_made_otherwise_are_named() -> None:
    (engine,) = checks.judge_engines({"": "InnoDB", "learner": "MyISAM"})
    (charset,) = checks.judge_charsets({("", "utf8mb4"), ("learner", "utf8mb3")})

    assert engine.msg == "Table learner has the storage engine MyISAM, which has no transactions."
    assert charset.msg == "Table learner has the character set utf8mb3, which cannot store every name and student ID."


def test_without_social_auth_the_app_says_what_to_do() -> None:
    program = (
        "import django; from django.conf import settings; "
        "settings.configure(INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', "
        "'program_enrollments.apps.ProgramEnrollmentsConfig']); django.setup()"
    )

    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert 'ImproperlyConfigured: Add "social_django" to INSTALLED_APPS' in run.stderr


def test_every_setting_and_every_check_is_documented() -> None:
    text = (ROOT / "docs" / "settings.rst").read_text(encoding="utf-8")
    modules = (ROOT / "program_enrollments" / "checks").glob("*.py")
    numbers = {
        found for path in modules for found in re.findall(r"\b(error|warning)\(\s*(\d+)", path.read_text("utf-8"))
    }
    documented = set(re.findall(r"university_enrollments\.([EW]\d{3})", text))

    assert {f"{'E' if kind == 'error' else 'W'}{int(number):03}" for kind, number in numbers} == documented
    assert [name for name in DEFAULTS if f"``{name}``" not in text] == []
    assert django_settings.PROGRAM_ENROLLMENTS.keys() <= DEFAULTS.keys()
