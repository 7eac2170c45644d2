"""`sync_catalog` against a small Course Discovery over real HTTP, faults included."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from program_enrollments.models import CourseRun, Curriculum, Program
from tests.commands.discovery_server import (
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
from tests.factories.discovery import discovery_curriculum, discovery_program, discovery_run
from tests.factories.enrollment import SchoolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def discovery(settings: Settings) -> Iterator[DiscoveryServer]:
    """A Discovery that the settings name, and a school that it has programs of."""
    SchoolFactory(key="uni-a")
    with serve_discovery() as server:
        configure(settings, **server.settings())
        yield server


def configure(settings: Settings, **discovery: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "DISCOVERY": discovery}


class Synced:
    """What one run of the command wrote, and with which message and exit status it failed, if it did."""

    def __init__(self, **options: Any) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.error: str | None = None
        self.status = 0
        try:
            call_command("sync_catalog", stdout=out, stderr=err, **options)
        except CommandError as error:
            self.error, self.status = str(error), error.returncode
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def everything(self) -> str:
        return f"{self.out}{self.err}{self.error}"


def titles() -> set[str]:
    return set(Program.objects.values_list("title", flat=True))


def test_all_pages_are_taken_over(discovery: DiscoveryServer) -> None:
    discovery.programs = [discovery_program(title=f"Program {number}") for number in range(5)]

    synced = Synced()

    assert synced.error is None
    assert titles() == {f"Program {number}" for number in range(5)}
    assert "Programs: 5 new, 0 changed, 0 unchanged, 0 failed." in synced.out
    assert discovery.queries == [
        {"status": ["active"], "types": ["masters"]},
        {"offset": ["2"], "status": ["active"]},
        {"offset": ["4"], "status": ["active"]},
    ]


def test_the_types_asked_for_are_a_setting(discovery: DiscoveryServer, settings: Settings) -> None:
    configure(settings, **discovery.settings(TYPES=["masters", "bachelors"]))
    assert Synced().error is None
    assert discovery.queries == [{"status": ["active"], "types": ["masters,bachelors"]}]


def test_a_second_run_says_that_nothing_changed(discovery: DiscoveryServer) -> None:
    discovery.programs = [discovery_program(discovery_curriculum(discovery_run()))]
    assert Synced().out.endswith("Programs: 1 new, 0 changed, 0 unchanged, 0 failed.\n")
    assert Synced().out == "Programs: 0 new, 0 changed, 1 unchanged, 0 failed.\n"


def test_what_changed_is_said(discovery: DiscoveryServer) -> None:
    program = discovery_program(discovery_curriculum(discovery_run()), title="Science")
    discovery.programs = [program]
    Synced()
    program["title"] = "Sciences"
    program["curricula"][0]["courses"][0]["course_runs"][0]["end"] = "2027-01-31T00:00:00Z"

    synced = Synced()

    assert synced.out.splitlines() == [
        f"Sciences ({program['uuid']})",
        "  title 'Science' -> 'Sciences'",
        "  course run course-v1:UniA+CS1+2026: end none -> 2027-01-31T00:00:00+00:00",
        "Programs: 0 new, 1 changed, 0 unchanged, 0 failed.",
    ]


def test_a_program_that_is_gone_from_discovery_stays(discovery: DiscoveryServer) -> None:
    discovery.programs = [discovery_program(discovery_curriculum(discovery_run()))]
    Synced()
    discovery.programs = []

    assert Synced().error is None
    assert Program.objects.count() == CourseRun.objects.count() == 1
    assert Curriculum.objects.get().is_active


def test_a_dry_run_says_what_would_change(discovery: DiscoveryServer) -> None:
    discovery.programs = [discovery_program()]
    synced = Synced(dry_run=True)
    assert "new program" in synced.out
    assert "Dry run, nothing was written: 1 new" in synced.out
    assert not Program.objects.exists()


def test_quiet_means_problems_only(discovery: DiscoveryServer) -> None:
    discovery.programs = [discovery_program(), discovery_program(title="")]
    synced = Synced(verbosity=0)
    assert synced.out == ""
    assert "title is missing" in synced.err


def test_a_bad_program_is_reported_and_the_others_go_on(discovery: DiscoveryServer) -> None:
    bad = discovery_program(title="")
    unknown = discovery_program(authoring_organizations=[{"key": "UniX"}], title="Of another school")
    discovery.programs = [discovery_program(title="One"), bad, None, unknown, discovery_program(title="Two")]

    synced = Synced()

    assert (synced.status, synced.error) == (1, "3 could not be taken over; see above.")
    assert titles() == {"One", "Two"}
    assert bad["uuid"] in synced.err
    assert "There is no school with the key UniX." in synced.err
    assert "Programs: 2 new, 0 changed, 0 unchanged, 3 failed." in synced.out


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


@pytest.mark.once  # about the connection to Discovery
class TestWhereTheTokenGoes:
    @pytest.mark.parametrize(
        "other",
        [
            "{elsewhere}/api/v1/programs/?offset=2",
            "{elsewhere_without_scheme}/api/v1/programs/?offset=2",
            "http://user:password@{elsewhere_host}/api/v1/programs/",
            "{here}@{elsewhere_host}/api/v1/programs/",
            "https://127.0.0.1/api/v1/programs/",
            "ftp://127.0.0.1/",
            "http://[",
            "http://127.0.0.1:999999/",
        ],
    )
    def test_a_next_of_another_host_stops_the_sync_and_gets_nothing(
        self, discovery: DiscoveryServer, other: str
    ) -> None:
        discovery.programs = [discovery_program(title="One")]
        with serve_discovery() as elsewhere:
            following = other.format(
                here=discovery.url,
                elsewhere=elsewhere.url,
                elsewhere_without_scheme=elsewhere.url.removeprefix("http:"),
                elsewhere_host=elsewhere.url.removeprefix("http://"),
            )
            discovery.next_url = lambda start: following

            synced = Synced()

        assert synced.error is not None
        assert "next" in synced.error
        assert titles() == {"One"}
        assert elsewhere.authorizations == []
        assert len(discovery.authorizations) == 1

    @pytest.mark.parametrize("backslash", ["\\", "/\\", "\\\\"])
    def test_a_next_that_readers_of_addresses_read_differently_goes_nowhere_else(
        self, discovery: DiscoveryServer, backslash: str
    ) -> None:
        with serve_discovery() as elsewhere:
            host = elsewhere.url.removeprefix("http://")
            discovery.next_url = lambda start: f"{discovery.url}{backslash}@{host}/api/v1/programs/?offset=2"
            Synced()
        assert elsewhere.authorizations == []

    def test_no_redirect_is_followed(self, discovery: DiscoveryServer) -> None:
        with serve_discovery() as elsewhere:
            discovery.faults = [fails(302, Location=f"{elsewhere.url}{PROGRAMS_PATH}")]
            synced = Synced()
        assert synced.error is not None
        assert "redirect" in synced.error
        assert elsewhere.authorizations == []

    def test_a_next_that_is_a_path_or_a_query_is_followed(self, discovery: DiscoveryServer) -> None:
        discovery.programs = [discovery_program(title=f"Program {number}") for number in range(6)]
        following = {0: f"{PROGRAMS_PATH}?offset=2", 2: "?offset=4", 4: None}
        discovery.next_url = following.get
        assert Synced().error is None
        assert len(titles()) == 6

    @pytest.mark.parametrize(
        "faults", [[], [fails(500)] * 3, [fails(401)], [breaks_off] * 3, [says(b"no")] * 3, [fails(302)]]
    )
    def test_neither_token_nor_secret_is_ever_printed_or_logged(
        self, discovery: DiscoveryServer, faults: list[Fault | None], caplog: pytest.LogCaptureFixture
    ) -> None:
        discovery.programs = [discovery_program(), discovery_program(title="")]
        discovery.faults = faults
        caplog.set_level("DEBUG")

        synced = Synced(verbosity=3)

        for secret in (discovery.token, discovery.client_secret):
            assert secret not in synced.everything
            assert secret not in caplog.text


@pytest.mark.once  # about the connection to Discovery
class TestTokens:
    def test_a_wrong_secret_is_reported(self, discovery: DiscoveryServer, settings: Settings) -> None:
        configure(settings, **discovery.settings(CLIENT_SECRET="wrong"))
        synced = Synced()
        assert synced.error == "The LMS gave no token: it answered 401. Check CLIENT_ID and CLIENT_SECRET."
        assert discovery.authorizations == []

    @pytest.mark.parametrize("fault", [fails(503), hangs_up])
    def test_an_lms_that_fails_once_is_asked_again(self, discovery: DiscoveryServer, fault: Fault) -> None:
        discovery.token_faults = [fault]
        assert Synced().error is None

    @pytest.mark.parametrize("fault", [fails(503), hangs_up, says(b"no JSON"), says(b"{}")])
    def test_an_lms_that_keeps_failing_is_reported(self, discovery: DiscoveryServer, fault: Fault) -> None:
        discovery.token_faults = [fault] * 3
        synced = Synced()
        assert synced.error is not None
        assert synced.error.startswith("The LMS gave no token:")
        assert synced.error.endswith("Asked 3 times.")

    @pytest.mark.parametrize("body", [b"[]", b'"x"', b'{"access_token": "x", "expires_in": "soon"}'])
    def test_what_is_no_token_is_reported(self, discovery: DiscoveryServer, body: bytes) -> None:
        discovery.token_faults = [says(body)] * 3
        synced = Synced()
        assert synced.error is not None
        assert synced.error.startswith("The LMS gave no token:")

    @pytest.mark.parametrize("path", ["/", "/oauth2", "/oauth2/access_token"])
    def test_the_lms_may_be_named_by_its_token_url(
        self, discovery: DiscoveryServer, settings: Settings, path: str
    ) -> None:
        configure(settings, **discovery.settings(LMS_URL=None, TOKEN_URL=f"{discovery.url}{path}"))
        assert Synced().error is None


class TestSettings:
    @pytest.mark.parametrize("missing", ["URL", "CLIENT_ID", "CLIENT_SECRET", "LMS_URL"])
    def test_what_is_missing_is_named(self, discovery: DiscoveryServer, settings: Settings, missing: str) -> None:
        configure(settings, **discovery.settings(**{missing: ""}))
        synced = Synced()
        assert synced.error is not None
        assert f"lacks {missing}" in synced.error
        assert discovery.authorizations == []

    def test_without_any_everything_missing_is_named(self, settings: Settings) -> None:
        configure(settings)
        assert "URL, CLIENT_ID, CLIENT_SECRET, LMS_URL" in str(Synced().error)

    @pytest.mark.parametrize(
        "wrong", [{"TIMEOUT_SECONDS": "soon"}, {"RETRIES": None}, {"TYPES": 1}, {"SCHOOLS": 1}, {"URL": "discovery"}]
    )
    def test_what_cannot_be_used_is_said(
        self, discovery: DiscoveryServer, settings: Settings, wrong: dict[str, Any]
    ) -> None:
        configure(settings, **discovery.settings(**wrong))
        assert 'PROGRAM_ENROLLMENTS["DISCOVERY"]' in str(Synced().error)
        assert discovery.authorizations == []
