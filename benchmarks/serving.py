"""The demo LMS served by a process of its own on loopback, and how much memory that takes.

python -m benchmarks.serving      prints the port it serves on, and serves until it is ended
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Self

from benchmarks.memory import memory_of, peak_memory
from benchmarks.stands import Stand, environment, settle

HEADER = "X-Bench-Statements"


class Server:
    """A running server on a stand's database; a context manager."""

    def __init__(self, stand: Stand) -> None:
        self._environment = {
            **os.environ,
            **environment(vendor=stand.vendor, database=stand.database),
            "BENCH_COUNT_STATEMENTS": "1",
        }

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serving"], env=self._environment, stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.strip().isdigit():
            self.__exit__()
            raise RuntimeError("The server to be measured did not start; what it said stands above.")
        self.port = int(line)
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def memory(self) -> float:
        """Resident memory of the server, in megabytes."""
        return memory_of(self._process.pid)

    def peak_memory(self) -> AbstractContextManager[Callable[[], float]]:
        """Watch the server's memory, and tell the highest value seen, in megabytes."""
        return peak_memory(self._process.pid)


def count_statements(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Middleware: say in a header how many statements an answer took."""
    from django.db import connection  # noqa: PLC0415  (imported by Django, after its settings)

    from benchmarks.sampling import StatementCounter  # noqa: PLC0415

    def middleware(request: Any) -> Any:
        counter = StatementCounter()
        with connection.execute_wrapper(counter):
            response = get_response(request)
        response[HEADER] = str(counter.count)
        return response

    return middleware


def serve() -> None:
    """Serve the demo LMS on a free port of loopback, one thread a connection."""
    import django  # noqa: PLC0415  (only the server's own process needs it)

    django.setup()
    from django.core.servers.basehttp import ThreadedWSGIServer  # noqa: PLC0415  (after the settings)
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    from demo_lms.management.commands.demo import QuietHandler  # noqa: PLC0415

    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler)
    server.daemon_threads = True
    server.set_app(get_wsgi_application())
    settle()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
