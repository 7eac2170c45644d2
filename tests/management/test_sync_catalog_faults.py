"""`sync_catalog` when Course Discovery fails: faults that pass are retried, others are reported."""

from __future__ import annotations

import time

import pytest
from pytest_django import Settings

from tests.factories.discovery import discovery_program
from tests.management.discovery_server import (
    PROGRAMS_PATH,
    DiscoveryServer,
    Fault,
    breaks_off,
    fails,
    hangs_up,
    says,
    serve_discovery,
    sleeps,
    trickles,
)
from tests.management.syncing import Synced, configure, titles

pytestmark = pytest.mark.django_db


@pytest.mark.once  # about the connection to Discovery
class TestFaultsThatPass:
    @pytest.mark.parametrize(
        "fault",
        [
            fails(500),
            fails(502),
            fails(503, Retry_After="0"),
            fails(504),
            fails(429, Retry_After="0"),
            breaks_off,
            hangs_up,
            says(b'{"next": null, "results": [{"uuid": "'),
            says(b"<html>Welcome</html>"),
            says(b"\xff\xfe"),
        ],
    )
    def test_one_is_got_over_by_trying_again(self, discovery: DiscoveryServer, fault: Fault) -> None:
        discovery.programs = [discovery_program(title=f"Program {number}") for number in range(3)]
        discovery.faults = [None, fault]
        assert Synced().error is None
        assert len(titles()) == 3

    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            (fails(500), "Discovery answered 500. Asked 3 times."),
            (fails(503, Retry_After="0"), "Discovery answered 503. Asked 3 times."),
            (breaks_off, "The connection to Discovery failed"),
            (hangs_up, "The connection to Discovery failed"),
            (says(b'{"next": null, "results": ['), "not JSON, or breaks off. Asked 3 times."),
        ],
    )
    def test_one_that_stays_is_reported_and_what_came_before_it_stands(
        self, discovery: DiscoveryServer, fault: Fault, told: str
    ) -> None:
        discovery.programs = [discovery_program(title=f"Program {number}") for number in range(3)]
        discovery.faults = [None, fault, fault, fault]

        synced = Synced()

        assert synced.status == 1
        assert told in str(synced.error)
        assert titles() == {"Program 0", "Program 1"}
        assert "Programs: 2 new" in synced.out
        assert len(discovery.authorizations) == 4

    def test_without_retries_it_is_asked_once(self, discovery: DiscoveryServer, settings: Settings) -> None:
        configure(settings, **discovery.settings(RETRIES=0))
        discovery.faults = [fails(500)]
        assert Synced().error == "Discovery answered 500. Asked once."

    @pytest.mark.parametrize("fault", [sleeps(60), trickles(60)])
    def test_one_that_is_too_slow_is_waited_for_no_longer_than_said(
        self, discovery: DiscoveryServer, settings: Settings, fault: Fault
    ) -> None:
        configure(settings, **discovery.settings(TIMEOUT_SECONDS=0.8, RETRIES=1))
        discovery.faults = [fault, fault]
        began = time.monotonic()

        synced = Synced()

        assert synced.error == "Discovery did not answer within 0.8 seconds. Asked 2 times."
        assert time.monotonic() - began < 30

    def test_a_pause_that_discovery_asks_for_is_made(self, discovery: DiscoveryServer) -> None:
        discovery.faults = [fails(503, Retry_After="1")]
        began = time.monotonic()
        assert Synced().error is None
        assert time.monotonic() - began >= 1

    def test_discovery_that_is_down_is_reported(self, discovery: DiscoveryServer, settings: Settings) -> None:
        with serve_discovery() as other:
            pass
        configure(settings, **discovery.settings(URL=other.url))
        synced = Synced()
        assert synced.error is not None
        assert synced.error.startswith("The connection to Discovery failed (ConnectionError). Asked 3 times.")


@pytest.mark.once  # about the connection to Discovery
class TestFaultsThatDoNotPass:
    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            (fails(401), "this client's user may not read"),
            (fails(403), "this client's user may not read"),
            (fails(404), "Discovery answered 404. Check URL."),
            (says(b"[]"), "not a page of programs"),
            (says(b'{"detail": "x"}'), "not a page of programs"),
            (says(b'{"next": 1, "results": []}'), "not a page of programs"),
            (says(b'{"next": null, "results": {}}'), "not a page of programs"),
            (says(b"[" * 100_000), "nested too deep"),
        ],
    )
    def test_one_is_reported_at_once(self, discovery: DiscoveryServer, fault: Fault, told: str) -> None:
        discovery.faults = [fault]
        synced = Synced()
        assert synced.error is not None
        assert told in synced.error
        assert len(discovery.authorizations) == 1

    def test_pages_that_lead_in_a_circle_are_left(self, discovery: DiscoveryServer) -> None:
        discovery.programs = [discovery_program(title=f"Program {number}") for number in range(4)]
        discovery.next_url = lambda start: f"{discovery.url}{PROGRAMS_PATH}?offset={2 - start}"

        synced = Synced()

        assert synced.error is not None
        assert "circle" in synced.error
        assert len(titles()) == 4
        assert len(discovery.queries) == 3

    def test_a_page_that_is_its_own_next_is_left(self, discovery: DiscoveryServer) -> None:
        discovery.next_url = lambda start: f"{PROGRAMS_PATH}?status=active&types=masters"
        synced = Synced()
        assert synced.error is not None
        assert "circle" in synced.error
        assert len(discovery.queries) == 1
