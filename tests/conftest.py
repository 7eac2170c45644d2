"""What holds for the whole suite: which database it runs on, and what is skipped where."""

import gc
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests.demos import first_demo
from tests.examples import LONG_PROFILE
from tests.sqlite_templates import copy_template, delete_databases, save_template

# Started in the background, as CI may, the suite would hand on to the processes it starts that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["first_demo"]

VENDORS = {
    "django.db.backends.sqlite3": "sqlite",
    "django.db.backends.postgresql": "postgresql",
    "django.db.backends.mysql": "mariadb",
}
BROWSER_PROGRAMS = ("chromium", "chromedriver")

# Two suites share two cores, so how long one example takes says nothing; the same examples every time, so that
# a failure on one database can be looked at on another.
for profile in ("suite", LONG_PROFILE):
    hypothesis_settings.register_profile(
        profile,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )


def database_name() -> str:
    """Return the word for the database of this run: ``sqlite``, ``postgresql`` or ``mariadb``."""
    return VENDORS[settings.DATABASES["default"]["ENGINE"]]


@pytest.fixture(autouse=True)
def _default_language() -> Iterator[None]:
    """Forget the language of the last request: Django leaves it active in the thread that answered."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Let Django find a migrated database, if there is a template of one."""
    return django_db_keepdb or copy_template()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_keepdb: bool, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Keep a template of the database that was made, and delete the copy of one that was there."""
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            _empty_by_delete()
        if connection.vendor == "sqlite" and not django_db_keepdb:
            save_template()
    yield
    if connection.vendor == "sqlite" and django_db_keepdb:
        delete_databases()


def _empty_by_delete() -> None:
    """Let PostgreSQL empty the few rows of a test that commits by DELETE, as Django does on the other databases.

    TRUNCATE makes new files for every table and every index, used or not, which takes longer than most tests.
    """
    truncate = connection.ops.sql_flush

    def delete(style: Any, tables: Sequence[str], *, reset_sequences: bool = False, **options: Any) -> list[str]:
        if reset_sequences:
            return truncate(style, tables, reset_sequences=reset_sequences, **options)
        return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]

    connection.ops.sql_flush = delete  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, live_server: LiveServer) -> LiveServer:
    """Start the server after the database is set up.

    Before, the database still has the name of one in memory, and the server would share this thread's connection.
    """
    return live_server


@pytest.fixture
def same_day() -> None:
    """Let the test end on the day it begins on: shortly before midnight (UTC), wait for the next day."""
    left = 86_400 - time.time() % 86_400
    if left < 30:
        time.sleep(left)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever runs the suite on several databases run what is marked ``once`` by itself."""
    parser.addoption("--long", action="store_true", help="run what is marked `long` or `property`, and nothing else")
    parser.addoption("--once", choices=["only", "without"], help="run only what is marked `once`, or only the rest")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples properties are tried with, before a test module asks."""
    hypothesis_settings.load_profile(LONG_PROFILE if config.getoption("--long") else "suite")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which database the run is about."""
    return f"database: {database_name()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the run is not about. Without the option, everything runs."""
    if config.getoption("--long"):
        others = [item for item in items if not {"long", "property"} & {mark.name for mark in item.iter_markers()}]
    else:
        others = [item for item in items if item.get_closest_marker("long") is not None]
    left_out = set(others)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=others)
    if wanted := config.getoption("--once"):
        parts: dict[str, list[pytest.Item]] = {"only": [], "without": []}
        for item in items:
            parts["only" if item.get_closest_marker("once") else "without"].append(item)
        items[:] = parts.pop(wanted)
        config.hook.pytest_deselected(items=[item for part in parts.values() for item in part])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the garbage collector pass over what lives as long as the run: modules, and some thousand tests."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what has no meaning on this database, and what needs a browser that isn't there.

    With ``REQUIRE_BROWSER=1`` in the environment (CI sets it) a missing browser is a failure.
    """
    for mark in item.iter_markers("only_on"):
        unknown = set(mark.args) - set(VENDORS.values())
        if unknown:
            pytest.fail(f"only_on() names databases that don't exist: {', '.join(sorted(unknown))}", pytrace=False)
        if database_name() not in mark.args:
            pytest.skip(f"has a meaning only on {', '.join(mark.args)}")

    if item.get_closest_marker("browser"):
        missing = [program for program in BROWSER_PROGRAMS if shutil.which(program) is None]
        if missing:
            message = f"{' and '.join(missing)} not found (Debian: apt-get install chromium chromium-driver)"
            if os.environ.get("REQUIRE_BROWSER") == "1":
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
