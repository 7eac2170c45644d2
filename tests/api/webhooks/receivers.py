"""A university's software that receives webhooks, on a port of this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback import LoopbackServer


@dataclass
class Received:
    """One request: its headers, in lower case, and its body as it came."""

    headers: dict[str, str]
    raw: bytes

    @property
    def key(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.raw))

    @property
    def event(self) -> str:
        return str(self.body["type"])


@dataclass
class Receiver:
    """What came, and how it answers: with `status` and `headers`, or one byte at a time if `drips`."""

    url: str
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    received: list[Received] = field(default_factory=list)

    def events(self) -> list[str]:
        return [one.event for one in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Received({key.lower(): value for key, value in self.headers.items()}, raw))
            if receiver.drips:
                for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1_000:
                    self.wfile.write(bytes([letter]))
                    time.sleep(0.05)
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = LoopbackServer(Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
