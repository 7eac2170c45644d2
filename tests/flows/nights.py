"""Nights of a university: its roster as files, two ways to deliver them, and a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.flows.people import University

PROGRAM, COURSES = "mds-program", "mds-courses"


class Clock:
    """The time for the code under test. It ticks, and a test moves it forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: datetime) -> None:
        self.move_to(start)
        monkeypatch.setattr("django.utils.timezone.now", self)

    def __call__(self) -> datetime:
        return self._moment + timedelta(seconds=time.monotonic() - self._since)

    def move_to(self, moment: datetime) -> None:
        self._moment, self._since = moment, time.monotonic()


@dataclass
class Roster:
    """What the student information system knows: status and address by student ID, and who is in the course."""

    statuses: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)

    def add(self, *student_keys: str) -> None:
        for key in student_keys:
            self.statuses[key] = "enrolled"
            self.addresses[key] = f"{key.lower()}@students.uni-a.example"

    def rename(self, old: str, new: str) -> None:
        """Give a student a new ID; the address stays."""
        for column in (self.statuses, self.addresses, self.seats):
            if old in column:
                column[new] = column.pop(old)

    def program_file(self) -> str:
        lines = (f"{key},{self.addresses[key]},{status}" for key, status in self.statuses.items())
        return "\n".join(["student_key,email,status", *lines, ""])

    def course_file(self, course_id: str) -> str:
        lines = (f"{course_id},{key},{status}" for key, status in self.seats.items())
        return "\n".join(["course_id,student_key,status", *lines, ""])


class Delivery(Protocol):
    """How files reach the platform."""

    has_feeds: bool
    folder: str

    def send(self, name: str, text: str, *, rows: int | None = None) -> str:
        """Deliver a file, and return what is said against it at once, if anything is."""

    def complaints(self) -> list[str]:
        """Return what was said later against files that were not taken."""


@dataclass
class ByRequest:
    """The system sends each file to the API."""

    university: University
    program_path: str
    has_feeds: bool = False
    folder: str = ""

    def send(self, name: str, text: str, *, rows: int | None = None) -> str:
        is_course = name.startswith(COURSES)
        query = {} if is_course else {"mode": "snapshot", "leaving_status": "ended", "cascade": "true"}
        if rows is not None:
            query["rows"] = str(rows)
        kind = "course_enrollments" if is_course else "enrollments"
        response = self.university.sis.post(
            f"{self.program_path}{kind}/upload/", text.encode(), content_type="text/csv", query=query
        )
        if response.status_code == 202:
            return ""
        assert response.status_code in {400, 422}, response.content
        return str(response.json()["developer_message"])

    def complaints(self) -> list[str]:
        return []


class Dropbox(Protocol):
    """The university's view of its folder."""

    def put(self, name: str, text: str) -> None:
        """Upload a file."""

    def names(self, folder: str = "") -> list[str]:
        """Return the names of files, none if there is no such folder."""

    def read(self, path: str) -> str:
        """Return a file's text."""


@dataclass
class LocalDropbox:
    """A folder on this machine."""

    path: Path

    def put(self, name: str, text: str) -> None:
        (self.path / name).write_bytes(text.encode())

    def names(self, folder: str = "") -> list[str]:
        place = self.path / folder
        return sorted(one.name for one in place.iterdir() if one.is_file()) if place.exists() else []

    def read(self, path: str) -> str:
        return (self.path / path).read_text()


@dataclass
class ByFeed:
    """The system drops each file in a folder, and a marker beside it."""

    dropbox: Dropbox
    folder: str = ""
    has_feeds: bool = True

    def send(self, name: str, text: str, *, rows: int | None = None) -> str:
        self.dropbox.put(name, text)
        self.dropbox.put(f"{name}.done", "" if rows is None else f"rows={rows}\n")
        return ""

    def complaints(self) -> list[str]:
        return [self.dropbox.read(f"rejected/{one}") for one in self.dropbox.names("rejected") if one.endswith(".txt")]


@dataclass
class Night:
    """What came of one night's files: jobs in the order in which they were accepted, and complaints."""

    jobs: list[dict[str, Any]]
    complaints: list[str]

    @property
    def states(self) -> list[str]:
        return [job["state"] for job in self.jobs]

    @property
    def job(self) -> dict[str, Any]:
        """The program file's job."""
        return self.jobs[0]


@dataclass
class Nights:
    """One university's nights: it delivers its roster, and the platform's workers do what is due."""

    university: University
    delivery: Delivery
    work: Callable[[], None]
    clock: Clock
    course_id: str
    roster: Roster = field(default_factory=Roster)

    def run(self, at: datetime, *, text: str | None = None, rows: int | None = None, courses: bool = True) -> Night:
        """Deliver the roster, or this text as the program's file, and let the workers do what is due."""
        self.clock.move_to(at)
        known = set(self.jobs())
        earlier = self.delivery.complaints()
        file = self.roster.program_file() if text is None else text
        said = [self.delivery.send(f"{PROGRAM}-{at:%Y-%m-%dT%H%M}.csv", file, rows=rows)]
        if courses and self.roster.seats:
            said.append(
                self.delivery.send(f"{COURSES}-{at:%Y-%m-%dT%H%M}.csv", self.roster.course_file(self.course_id))
            )
        self.work()
        later = [one for one in self.delivery.complaints() if one not in earlier]
        jobs = [job for number, job in sorted(self.jobs().items()) if number not in known]
        return Night(jobs, [*filter(None, said), *later])

    def pass_by(self, at: datetime) -> None:
        """Let the workers do what is due at a time at which nothing was delivered."""
        self.clock.move_to(at)
        self.work()

    def jobs(self) -> dict[int, dict[str, Any]]:
        """Return the latest jobs by number."""
        answer = self.university.sis.get("jobs/", query={"page_size": "100"})
        return {job["id"]: job for job in answer.json()["results"]}

    def job(self, number: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.university.sis.get(f"jobs/{number}/").json()
        return answer
