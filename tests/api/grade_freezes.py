"""Freezing and reopening the grades of a test's course run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from program_enrollments import api
from program_enrollments.data import Origin, Source
from tests.api.conftest import World

NOW = datetime(2026, 6, 30, 12, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 7, 1, tzinfo=UTC)


def origin(reason: str = "Board of examiners", *, actor_id: int | None = None) -> Origin:
    return Origin(source=Source.API, actor_id=actor_id, request_id="request-1", reason=reason)


def freeze(world: World, *, reason: str = "Board of examiners", **more: Any) -> api.FrozenVersion:
    return api.freeze_grades(
        program=more.pop("program", world.program),
        course_run=more.pop("course_run", world.course_run),
        origin=origin(reason, actor_id=more.pop("actor_id", None)),
        now=more.pop("now", NOW),
    )


def reopen(world: World, *, reason: str = "A mistake") -> api.FrozenVersion:
    return api.reopen_grades(program=world.program, course_run=world.course_run, origin=origin(reason), now=LATER)
