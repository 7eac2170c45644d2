"""`sync_catalog` against a small Course Discovery over real HTTP: programs, reports and settings."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from program_enrollments.models import CourseRun, Curriculum, Program
from tests.factories.discovery import discovery_curriculum, discovery_program, discovery_run
from tests.management.discovery_server import (
    DiscoveryServer,
)
from tests.management.syncing import Synced, configure, titles

pytestmark = pytest.mark.django_db


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
