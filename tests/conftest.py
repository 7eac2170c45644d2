"""What holds for the whole suite: which database it runs on, and what is skipped where."""

import os
import shutil
import signal
import time

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django.live_server_helper import LiveServer

from tests.demos import first_demo

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
hypothesis_settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("suite")


def database_name() -> str:
    """Return the word for the database of this run: ``sqlite``, ``postgresql`` or ``mariadb``."""
    return VENDORS[settings.DATABASES["default"]["ENGINE"]]


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
    parser.addoption("--long", action="store_true", help="run what is marked `long`, and nothing else")
    parser.addoption("--once", choices=["only", "without"], help="run only what is marked `once`, or only the rest")


def pytest_report_header(config: pytest.Config) -> str:
    """Say which database the run is about."""
    return f"database: {database_name()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the run is not about. Without the option, everything runs."""
    is_long_run = bool(config.getoption("--long"))
    others = [item for item in items if (item.get_closest_marker("long") is not None) != is_long_run]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)
    if wanted := config.getoption("--once"):
        parts: dict[str, list[pytest.Item]] = {"only": [], "without": []}
        for item in items:
            parts["only" if item.get_closest_marker("once") else "without"].append(item)
        items[:] = parts.pop(wanted)
        config.hook.pytest_deselected(items=[item for part in parts.values() for item in part])


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
