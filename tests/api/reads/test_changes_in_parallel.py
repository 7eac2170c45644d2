"""A program's feed while others write: nothing skipped, nothing twice, in the order of commits."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import Program
from tests.factories.enrollment import CurriculumFactory

WRITERS, WRITES = 4, 12


@dataclass(frozen=True)
class Write:
    """One committed write: the request it was made under, and when it began and ended."""

    request_id: str
    began: float
    ended: float


def write(program: Program, writer: int) -> list[Write]:
    """Write several times, each in a transaction of its own."""
    done = []
    spread = random.Random(writer)  # the same in every run
    try:
        for number in range(WRITES):
            began, request_id = time.monotonic(), f"{writer}-{number}"
            rows = [(f"S-{writer}-{number}", "enrolled")]
            if number % 4 == 0:
                rows.append(("shared", spread.choice(["enrolled", "pending", "ended"])))
            api.write_program_enrollments(
                program=program,
                rows=[ProgramEnrollmentRequest(key, key, "", status) for key, status in rows],
                verb=Verb.UPSERT,
                origin=Origin(source=Source.API.value, request_id=request_id),
            )
            done.append(Write(request_id, began, time.monotonic()))
    finally:
        connection.close()
    return done


def follow(program: Program, finished: threading.Event) -> list[dict[str, Any]]:
    """Read as a client does, always on from the cursor it was given last, until nothing more can come."""
    rows: list[dict[str, Any]] = []
    cursor = None
    try:
        while True:
            at_rest = finished.is_set()
            page = api.fetch_changes(program=program, after=cursor, page_size=7)
            rows += page.rows
            cursor = page.cursor
            if at_rest and not page.has_more:
                return rows
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_keeps_its_cursor_gets_every_entry_once_in_the_order_of_commits() -> None:
    program = CurriculumFactory().program
    finished = threading.Event()

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(follow, program, finished) for _ in range(2)]
        try:
            writes = [
                write
                for done in [pool.submit(write, program, writer) for writer in range(WRITERS)]
                for write in done.result()
            ]
        finally:
            finished.set()
        feeds = [reader.result() for reader in readers]

    everything = api.fetch_changes(program=program, after=None, page_size=1000).rows
    assert len([row for row in everything if row["student_key"] != "shared"]) == WRITERS * WRITES
    for feed in feeds:
        assert feed == everything

    # Who began after another had ended is behind it.
    place = {row["request_id"]: number for number, row in enumerate(everything)}
    assert all(
        place[earlier.request_id] < place[later.request_id]
        for earlier in writes
        for later in writes
        if earlier.ended < later.began
    )
    # What one learner went through is told as it happened.
    shared = [row for row in everything if row["student_key"] == "shared"]
    assert [row["before"] for row in shared[1:]] == [row["after"] for row in shared[:-1]]
