"""A client of the API over one connection that is kept alive, as light as can be: it is the server that is measured."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, urlencode

from benchmarks.sampling import Sample
from benchmarks.serving import HEADER
from benchmarks.world import CLIENT_ID, CLIENT_SECRET, PROGRAM_UUID, course_id, student_key

ROOT = f"/api/program_enrollments/v1/programs/{PROGRAM_UUID}/"
COURSE = f"{ROOT}courses/{quote(course_id(0), safe=':+')}/"
MAX_ROWS = 10_000
MAX_PAGE = 1_000


class Answer(NamedTuple):
    """An answer, and what it took."""

    status: int
    body: bytes
    sample: Sample


class Client:
    """Signed in with a token, as any SIS would be."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "token_type": "jwt",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/oauth2/access_token", urlencode(form), headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        self._headers = {"Authorization": f"JWT {answer['access_token']}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send a request and read the whole answer. Raises RuntimeError for any status but 200."""
        started = time.perf_counter()
        self._connection.request(method, path, body, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        if response.status != 200:
            raise RuntimeError(f"{method} {path.partition('?')[0]} was answered {response.status}: {content[:300]!r}")
        return Answer(response.status, content, Sample(seconds, int(response.headers[HEADER])))

    def put(self, *, course: bool, prefix: str, count: int, status: str) -> Sample:
        """Write `count` enrollments in bodies of at most 10,000 rows."""
        seconds, statements = 0.0, 0
        for start in range(1, count + 1, MAX_ROWS):
            numbers = range(start, min(start + MAX_ROWS, count + 1))
            rows = [{"student_key": student_key(prefix, number), "status": status} for number in numbers]
            body = json.dumps(rows).encode()
            answer = self.ask("PUT", (COURSE if course else ROOT) + "enrollments/", body)
            seconds, statements = seconds + answer.sample.seconds, statements + (answer.sample.statements or 0)
        return Sample(seconds, statements)

    def read_programs(self, cursor: str) -> Sample:
        """Read a page of the program's enrollments."""
        return self.ask("GET", f"{ROOT}enrollments/?cursor={cursor}").sample

    def read_courses(self, cursor: str) -> Sample:
        """Read a page of the course run's enrollments."""
        return self.ask("GET", f"{COURSE}enrollments/?cursor={cursor}").sample

    def read_changes(self, cursor: str) -> Sample:
        """Read a page of the program's feed of changes."""
        return self.ask("GET", f"{ROOT}changes/?after={cursor}").sample

    def look_up(self, key: str) -> Sample:
        """Look a learner up."""
        return self.ask("GET", f"{ROOT}learners/{quote(key, safe='')}/").sample

    def walk_programs(self) -> Iterator[tuple[int, Sample]]:
        """Read the program's enrollments to their end, page by page; yields the rows of each page."""
        path: str | None = f"{ROOT}enrollments/?page_size={MAX_PAGE}"
        while path:
            answer = self.ask("GET", path)
            page = json.loads(answer.body)
            yield len(page["results"]), answer.sample
            path = page["next"] and page["next"].partition(f":{self._connection.port}")[2]
