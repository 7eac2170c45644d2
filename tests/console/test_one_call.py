"""A page parses, makes one call of the api, and renders: calls are counted while pages answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import program_enrollments
from program_enrollments.data import Permission
from tests.console.conftest import Desk, administrator, enroll
from tests.rest_api.callers import Campus

PACKAGE = Path(program_enrollments.__file__).parent
AROUND = {"authorize", "record_disclosure"}
"""What the base of every page calls: who may look, and that they looked."""


@contextmanager
def calls_of_the_api() -> Iterator[list[str]]:
    """Give the names of the api's functions that modules of the console call meanwhile, without those around a page."""
    called: list[str] = []
    console, domain = str(PACKAGE / "console"), str(PACKAGE / "api")

    def see(frame: FrameType, event: str, _: Any) -> None:
        name, caller = frame.f_code.co_name, frame.f_back
        if event != "call" or caller is None or name in AROUND or not name.isidentifier():
            return
        # Methods of a value are no calls of the api, and neither is making one.
        is_function = frame.f_globals.get(name) is not None
        crosses = frame.f_code.co_filename.startswith(domain) and caller.f_code.co_filename.startswith(console)
        if is_function and crosses:
            called.append(name)

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        yield called
    finally:
        sys.setprofile(before)


def make_desk(campus: Campus) -> Desk:
    desk = administrator(*Permission, campus=campus)
    enroll(campus, "S-1", "S-2")
    desk.client.get("/console/")  # what is looked up once a process
    return desk


def test_the_list_of_learners_is_one_call(campus: Campus) -> None:
    desk = make_desk(campus)

    with calls_of_the_api() as called:
        desk.open("learners", campus.program.uuid, status="enrolled")

    assert called == ["fetch_learner_list"]


def test_the_export_of_learners_is_one_call_per_page_of_the_list(campus: Campus) -> None:
    desk = make_desk(campus)

    with calls_of_the_api() as called:
        desk.download("learners", campus.program.uuid)

    assert len(called) == 1, called


def test_filters_that_cannot_be_read_are_one_call(campus: Campus) -> None:
    desk = make_desk(campus)

    with calls_of_the_api() as called:
        desk.open("learners", campus.program.uuid, since="nonsense")

    assert len(called) == 1, called


def test_the_preview_for_everybody_is_one_call(campus: Campus) -> None:
    desk = make_desk(campus)

    with calls_of_the_api() as called:
        desk.send("status", campus.program.uuid, everybody="1", filter="status=enrolled", status="suspended")

    assert called == ["change_filtered"]
