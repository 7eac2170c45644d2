"""A server in front of an installation that changes its answers, or its requests, in one chosen way."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.error import HTTPError

from tests.loopback import LoopbackServer


@dataclass(frozen=True, slots=True)
class Passing:
    """An answer on its way through: of which request, and what it says."""

    method: str
    path: str
    status: int
    body: bytes
    location: str = ""
    request_headers: dict[str, str] = field(default_factory=dict)

    def with_json(self, value: Any, *, status: int | None = None) -> Passing:
        """Return the answer with another body."""
        return replace(self, body=json.dumps(value).encode(), status=status or self.status)

    def json(self) -> Any:
        """Return the body; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def each_row(self, change: Callable[[dict[str, Any]], object]) -> Passing:
        """Return the answer with `change` applied to each row of a list."""
        page = self.json()
        if not isinstance(page, dict) or "results" not in page:
            return self
        for row in page["results"]:
            change(row)
        return self.with_json(page)


Distortion = Callable[[Passing], Passing]


@contextmanager
def distorting(url: str, distort: Distortion) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve what `url` answers, distorted. Gives the address, and what was requested so far."""
    requested: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            requested.append((self.command, self.path))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            headers = {name: value for name, value in self.headers.items() if name not in {"Connection", "Host"}}
            request = urllib.request.Request(url + self.path, data=body, headers=headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    self._answer(answer.status, answer.read(), answer.headers)
            except HTTPError as error:
                with error:
                    self._answer(error.code, error.read(), error.headers)

        def _answer(self, status: int, body: bytes, headers: Message) -> None:
            own = f"http://{self.headers['Host']}"
            passing = Passing(
                method=self.command,
                path=self.path,
                status=status,
                body=body.replace(url.encode(), own.encode()),
                location=(headers.get("Location") or "").replace(url, own),
                request_headers=dict(self.headers.items()),
            )
            passing = distort(passing)
            self.send_response(passing.status)
            self.send_header("Content-Type", headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(passing.body)))
            if passing.location:
                self.send_header("Location", passing.location)
            self.end_headers()
            self.wfile.write(passing.body)

        do_GET = do_POST = do_PUT = do_PATCH = _pass_on  # noqa: N815  (names that http.server looks for)

        def log_message(self, *arguments: Any) -> None:
            pass

    with LoopbackServer(Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", requested
        finally:
            server.shutdown()
            thread.join()
