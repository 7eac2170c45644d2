"""Throttling: each client for itself, by the setting THROTTLE_RATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache

from program_enrollments.data import Permission
from program_enrollments.rest_api.throttling import Rate, outage, parse_rate
from tests.rest_api.callers import AppSettings, Caller, Campus, caller_granted

# What counts is the cache, not the database.
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("empty_cache", "same_day")]


def test_a_client_over_its_rate_is_told_when_to_come_back(
    campus: Campus, sis: Caller, app_settings: AppSettings
) -> None:
    app_settings(THROTTLE_RATE="3/day")
    assert [sis.get(campus.path).status_code for _ in range(4)] == [200, 200, 200, 429]

    response = sis.get(campus.path)

    assert (response.status_code, response.json()["error_code"]) == (429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 86400


def test_clients_do_not_share_a_rate(campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
    app_settings(THROTTLE_RATE="1/day")
    other = caller_granted(Permission.METADATA, school=campus.school)
    for _ in range(2):
        sis.get(campus.path)
    assert other.get(campus.path).status_code == 200


def test_callers_without_token_are_401_and_not_counted(campus: Campus, app_settings: AppSettings) -> None:
    app_settings(THROTTLE_RATE="1/day")
    assert [Caller().get(campus.path).status_code for _ in range(3)] == [401] * 3


def test_refused_requests_count(campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
    app_settings(THROTTLE_RATE="1/day")
    statuses = [sis.get("programs/nonsense/").status_code for _ in range(4)]
    assert statuses[0] == 404
    assert statuses[-1] == 429


def test_no_rate_is_no_limit(campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
    app_settings(THROTTLE_RATE=None)
    assert {sis.get(campus.path).status_code for _ in range(120)} == {200}


def test_a_cache_that_keeps_nothing_lets_everybody_pass(
    campus: Campus, sis: Caller, app_settings: AppSettings, settings: object
) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # type: ignore[attr-defined]
    app_settings(THROTTLE_RATE="1/day")
    assert {sis.get(campus.path).status_code for _ in range(3)} == {200}


@pytest.fixture
def no_outage() -> Iterator[None]:
    """Begin and end with a cache of which nothing bad is known: that is each process's own knowledge."""
    outage.end()
    yield
    outage.end()


class UnreachableCache(LocMemCache):
    """A cache whose server is down until a test starts it."""

    is_down = True

    def add(self, *arguments: Any, **options: Any) -> Any:
        if self.is_down:
            raise ConnectionRefusedError("redis://:secret@cache.example:6379")
        return super().add(*arguments, **options)


UNREACHABLE = {"BACKEND": f"{__name__}.UnreachableCache"}
# A real one: no folder can be made below a device.
UNWRITABLE = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": "/dev/null/cache"}


def log_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("program_enrollments")]


@pytest.mark.usefixtures("no_outage")
@pytest.mark.parametrize("cache", [UNREACHABLE, UNWRITABLE], ids=["unreachable", "unwritable"])
def test_a_cache_that_is_down_lets_everybody_pass_and_is_logged_once(
    campus: Campus,
    sis: Caller,
    app_settings: AppSettings,
    settings: Any,
    cache: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.CACHES = {"default": cache}
    app_settings(THROTTLE_RATE="1/day")

    assert [sis.get(campus.path).status_code for _ in range(4)] == [200] * 4

    (line,) = log_lines(caplog)
    assert "not limited" in line
    assert "secret" not in line


@pytest.mark.usefixtures("no_outage")
def test_each_outage_is_logged_once_and_its_end_too(
    campus: Campus,
    sis: Caller,
    app_settings: AppSettings,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.CACHES = {"default": UNREACHABLE}
    app_settings(THROTTLE_RATE="2/day")
    caplog.set_level("INFO", logger="program_enrollments")

    for is_down in (True, False, True):
        monkeypatch.setattr(UnreachableCache, "is_down", is_down)
        sis.get(campus.path)
        sis.get(campus.path)

    assert ["not limited" in line for line in log_lines(caplog)] == [True, False, True]
    monkeypatch.setattr(UnreachableCache, "is_down", False)
    assert sis.get(campus.path).status_code == 429, "what was counted still counts"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("100/second", Rate(100, 1)),
        ("5/s", Rate(5, 1)),
        ("60/min", Rate(60, 60)),
        ("1/hour", Rate(1, 3600)),
        ("7 / Day", Rate(7, 86400)),
    ],
)
def test_rates_are_read(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "100", "/second", "ten/second", "1/fortnight", "-1/s", "1.5/s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        parse_rate(text)
