"""Addresses of this machine, for servers that tests start and clients that look for one in vain."""

from __future__ import annotations

import random
import socket
import sys
from http.server import ThreadingHTTPServer
from typing import Any

# Below those that systems give to whoever asks for any port. It takes a second or more until a process has started that
# is to take the port, and until then every connection that other tests open could be given it.
PORTS = range(15_000, 30_000)


def free_port() -> int:
    """Return a port on which nothing listens, nor soon will. The one above it is free as well."""
    while True:
        port = random.choice(PORTS)
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class LoopbackServer(ThreadingHTTPServer):
    """A server on any free port, which takes it as usual that a client breaks off."""

    daemon_threads = True

    def __init__(self, handler: type) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
