"""`sync_catalog` and its token: where it comes from, and that no other host ever gets it."""

from __future__ import annotations

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
)
from tests.management.syncing import Synced, configure, titles

pytestmark = pytest.mark.django_db


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
