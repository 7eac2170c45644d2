"""A small Course Discovery, and the LMS that gives its tokens, on a loopback port of their own. Faults on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.loopback import LoopbackServer

TOKEN_PATH = "/oauth2/access_token"
PROGRAMS_PATH = "/api/v1/programs/"

Fault = Callable[[BaseHTTPRequestHandler], None]
"""Answers in place of the server."""


@dataclass
class DiscoveryServer:
    """What it serves, what goes wrong, and what it was asked.

    `faults` are used up one a request for programs, None for a request that goes well; `token_faults` likewise for
    tokens.
    """

    url: str
    client_id: str = field(default_factory=lambda: f"client-{uuid4()}")
    client_secret: str = "server-secret-5f1c"
    token: str = "server-token-9a7e"
    programs: list[Any] = field(default_factory=list)
    page_size: int = 2
    faults: list[Fault | None] = field(default_factory=list)
    token_faults: list[Fault | None] = field(default_factory=list)
    next_url: Callable[[int], str | None] | None = None
    """Replaces the `next` of the page that begins with that program."""
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    """The header of every request but those for tokens."""

    def settings(self, **more: Any) -> dict[str, Any]:
        """Return a `DISCOVERY` setting for this server, which waits for an answer, but hardly before it asks again."""
        return {
            "URL": self.url,
            "LMS_URL": self.url,
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret,
            "TYPES": ["masters"],
            "TIMEOUT_SECONDS": 60,
            "RETRIES": 2,
            "BACKOFF_SECONDS": 0.01,
            "SCHOOLS": {"UniA": "uni-a"},
            **more,
        }

    def answer_token(self, handler: BaseHTTPRequestHandler) -> None:
        sent = parse_qs(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
        expected = {
            "grant_type": ["client_credentials"],
            "client_id": [self.client_id],
            "client_secret": [self.client_secret],
            "token_type": ["jwt"],
        }
        if sent != expected:
            send_json(handler, {"error": "invalid_client"}, status=401)
        else:
            send_json(handler, {"access_token": self.token, "expires_in": 3600})

    def answer_programs(self, handler: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> None:
        self.queries.append(query)
        if handler.headers["Authorization"] != f"JWT {self.token}":
            send_json(handler, {"detail": "no"}, status=401)
            return
        start = int(query.get("offset", ["0"])[0])
        end = start + self.page_size
        following = f"{self.url}{PROGRAMS_PATH}?offset={end}&status=active" if end < len(self.programs) else None
        if self.next_url is not None:
            following = self.next_url(start)
        page = {"count": len(self.programs), "next": following, "previous": None, "results": self.programs[start:end]}
        send_json(handler, page)


def send(handler: BaseHTTPRequestHandler, body: bytes, *, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def send_json(handler: BaseHTTPRequestHandler, value: object, *, status: int = 200) -> None:
    send(handler, json.dumps(value).encode(), status=status, Content_Type="application/json")


def fails(status: int, **headers: str) -> Fault:
    """A fault: this status."""
    return lambda handler: send(handler, b"<h1>Oh no</h1>", status=status, **headers)


def says(body: bytes, *, status: int = 200) -> Fault:
    """A fault: these bytes."""
    return lambda handler: send(handler, body, status=status)


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    """A fault: fewer bytes than announced, then the connection is closed."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"next": null, "results": [{"uuid": "')
    handler.close_connection = True


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """A fault: no answer at all."""
    handler.close_connection = True


def sleeps(seconds: float) -> Fault:
    """A fault: nothing for a while."""

    def sleep(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return sleep


def trickles(seconds: float) -> Fault:
    """A fault: a byte now and then, for a while, so that no single wait is long."""

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass  # the client has had enough
        handler.close_connection = True

    return trickle


@contextmanager
def serve_discovery() -> Iterator[DiscoveryServer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            fault = server.token_faults.pop(0) if server.token_faults else None
            if fault is not None:
                self.rfile.read(int(self.headers["Content-Length"]))
                fault(self)
            elif self.path == TOKEN_PATH:
                server.answer_token(self)
            else:
                send(self, b"", status=404)

        def do_GET(self) -> None:
            server.authorizations.append(self.headers["Authorization"])
            parts = urlsplit(self.path)
            fault = server.faults.pop(0) if server.faults else None
            if fault is not None:
                fault(self)
            elif parts.path == PROGRAMS_PATH:
                server.answer_programs(self, parse_qs(parts.query))
            else:
                send(self, b"", status=404)

        def log_message(self, *args: Any) -> None:
            """Say nothing: the tests look at what was asked."""

    httpd = LoopbackServer(Handler)
    server = DiscoveryServer(url=f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
