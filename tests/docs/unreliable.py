"""A network that fails in ways that the test says, between a client and the demo."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import Any

from tests.loopback import LoopbackServer

NOT_FORWARDED = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass
class Network:
    """Where to reach the demo through it, what goes wrong with the next requests to the API, and what went through.

    A fault is None for a request that goes through, a status to answer with instead of forwarding (`Retry-After: 0`),
    `lost request` or `lost answer` (the connection breaks before or after the demo has done its work), or `expired`
    (the demo sees a token that it doesn't know).
    """

    url: str
    target: str
    faults: list[int | str | None] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)


class Forwarder(BaseHTTPRequestHandler):
    network: Network

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.network.faults.pop(0) if self.network.faults and "/api/" in self.path else None
        if isinstance(fault, int):
            self.answer(fault, {"Retry-After": "0", "Content-Type": "text/html"}, b"<h1>Please come back later.</h1>")
            return
        if fault == "lost request":
            self.close_connection = True
            return
        headers = dict(self.headers.items())
        if fault == "expired":
            headers["Authorization"] = "Bearer no-longer-known"
        request = urllib.request.Request(self.network.target + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, told, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, told, content = error.code, error.headers, error.read()
        self.network.log.append((self.command, self.path))
        if fault == "lost answer":
            self.close_connection = True
            return
        self.answer(status, dict(told.items()), content)

    do_GET = do_POST = do_PUT = do_PATCH = forward  # noqa: N815  (the names by which they are looked for)

    def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in NOT_FORWARDED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def unreliable_network(target: str) -> Iterator[Network]:
    """Stand between a client and the demo at `target`, which is reached at the network's `url`."""
    handler = type("Handler", (Forwarder,), {})
    server = LoopbackServer(handler)
    handler.network = network = Network(f"http://127.0.0.1:{server.server_address[1]}", target)  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=30)
