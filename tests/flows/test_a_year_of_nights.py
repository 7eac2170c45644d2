"""A university's nightly files of a year, sent to the API or dropped in a folder, and what people see each morning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from program_enrollments.models import Program
from tests.api.feeds.conftest import feed_storage
from tests.flows.nights import ByFeed, ByRequest, Clock, Delivery, LocalDropbox
from tests.flows.people import Student, University

pytest.register_assert_rewrite("tests.flows.year")
from tests.flows.year import Year  # noqa: E402

__all__ = ["feed_storage"]
SEPTEMBER = datetime(2026, 9, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, SEPTEMBER)


@pytest.mark.parametrize("way", ["request", "feed"])
def test_a_year(
    clock: Clock,
    uni_a: University,
    new_student: Callable[[], Student],
    feed_storage: Callable[..., Path],
    way: str,
) -> None:
    root = feed_storage()
    (root / "uni-a").mkdir(parents=True)

    def work() -> None:
        with uni_a.on_commit(execute=True):
            # The second round finds what contacts are to be mailed about the first.
            call_command("run_jobs", once=True)
            call_command("run_jobs", once=True)

    def deliver(program: Program) -> Delivery:
        if way == "feed":
            return ByFeed(LocalDropbox(root / "uni-a"))
        return ByRequest(uni_a, f"programs/{program.uuid}/")

    Year.begin(uni_a, clock, delivery=deliver, work=work, new_student=new_student).live()
