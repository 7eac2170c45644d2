"""Pages of the console, in the stand's process: the whole request, from the address to the last byte of HTML."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks.sampling import Sample, measure
from benchmarks.world import CLIENT_ID, PROGRAM_UUID, SCHOOL, course_id

LIMIT = 50
"""Milliseconds of server time that a page may take."""


class Shown(NamedTuple):
    """What one page took: by the clock, and by the processor time of this process."""

    clock: Sample
    processor: Sample


def gather_statistics() -> None:
    """Let the database count what its planner goes by."""
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    if connection.vendor == "mysql":
        tables = ", ".join(connection.introspection.table_names())
        statement = f"ANALYZE TABLE {tables}"
    else:
        statement = "ANALYZE"
    with connection.cursor() as cursor:
        cursor.execute(statement)


def addresses(cursor: str, search: str) -> dict[str, str]:
    """Return the pages that are measured, by what they are: `cursor` is in the list's middle, `search` an ID there."""
    from django.urls import reverse  # noqa: PLC0415  (needs the stand's settings)

    def program(name: str, *args: str) -> str:
        return reverse(f"console:{name}", args=[PROGRAM_UUID, *args])

    learners, run = program("learners"), course_id(0)
    roster = program("roster", run)
    return {
        "home": reverse("console:home"),
        "learners": learners,
        "learners, middle": f"{learners}?cursor={cursor}",
        "learners, one status": f"{learners}?status=enrolled",
        "learners, none fits": f"{learners}?status=ended",
        "learners, waiting": f"{learners}?state=waiting",
        "learners, help": f"{learners}?state=help",
        "learners, changed since": f"{learners}?since=2020-01-01",
        "learners, unchanged since": f"{learners}?since=2099-01-01",
        "learners, waiting and ended": f"{learners}?state=waiting&status=ended",
        "learners, of a course": f"{learners}?{urlencode({'course': run})}",
        "learners, of a course without any": f"{learners}?{urlencode({'course': course_id(7)})}",
        "learners, search": f"{learners}?q={search}",
        "courses": program("courses"),
        "roster": roster,
        "roster, none fits": f"{roster}?status=inactive",
        "changes": program("changes"),
        "attendance": program("attendance"),
        "grades": program("grades"),
        "people": reverse("console:people", args=[SCHOOL]),
        "who looked": reverse("console:disclosures", args=[SCHOOL]),
    }


def show(address: str) -> Shown:
    """Open a page as a person with all grants."""
    from django.conf import settings  # noqa: PLC0415  (needs the stand's settings)
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    client = Client(SERVER_NAME=settings.ALLOWED_HOSTS[0])
    client.force_login(User.objects.get(username=CLIENT_ID))
    processor = [0.0]

    def open_page() -> None:
        started = time.process_time()
        response = client.get(address)
        processor[0] = time.process_time() - started
        if response.status_code != 200:
            raise RuntimeError(f"{address} answered {response.status_code}.")

    clock = measure(open_page)
    return Shown(clock, Sample(processor[0], clock.statements))
