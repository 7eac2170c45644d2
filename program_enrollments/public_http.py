"""HTTP to addresses that people typed in: only to permitted networks, and within a time limit.

A name is resolved first and every address of it is checked; then the connection goes to a checked address. So a name
that resolves anew each time never leads into a private network, not even to find out which ports are open there.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

Check = Callable[[str, str], None]
"""Called with the host's name and an address of it; raises an exception of its own to refuse the address."""

IPV4_INSIDE = ipaddress.ip_network("64:ff9b::/96")
"""NAT64: the last four bytes are an IPv4 address."""


def is_public(address: str) -> bool:
    """Return whether an IP address, or the IPv4 address inside of it, is one of the public Internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in IPV4_INSIDE:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return found.is_global and not found.is_multicast


@contextmanager
def open_session(*, check: Check, seconds: float) -> Iterator[requests.Session]:
    """Yield a session without proxies whose connections are checked, and broken off after `seconds`.

    The limit covers everything from here on, however slowly a server sends. Names that resolve slowly are not covered:
    that is the resolver's own limit.
    """
    sockets: list[socket.socket] = []
    is_over = threading.Event()

    def break_off() -> None:
        is_over.set()
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                # Closed before.
                continue

    def watch(connected: socket.socket) -> socket.socket:
        sockets.append(connected)
        if is_over.is_set():
            break_off()
        return connected

    timer = threading.Timer(seconds, break_off)
    timer.daemon = True
    with requests.Session() as session:
        # No proxies and no passwords from the environment; only the operator's own authorities.
        session.trust_env = False
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        adapter = _CheckedAdapter(check=check, watch=watch)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        timer.start()
        try:
            yield session
        finally:
            timer.cancel()


class _CheckedAdapter(HTTPAdapter):
    """Connects only to addresses that `check` lets pass, and shows each connection to `watch`."""

    def __init__(self, *, check: Check, watch: Callable[[socket.socket], socket.socket]) -> None:
        self._check, self._watch = check, watch
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        check, watch = self._check, self._watch

        class CheckedHTTPConnection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return watch(_connect(self, super()._new_conn, check))

        class CheckedHTTPSConnection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return watch(_connect(self, super()._new_conn, check))

        class HTTPPool(HTTPConnectionPool):
            ConnectionCls = CheckedHTTPConnection

        class HTTPSPool(HTTPSConnectionPool):
            ConnectionCls = CheckedHTTPSConnection

        self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}


def _connect(connection: HTTPConnection, connect: Callable[[], socket.socket], check: Check) -> socket.socket:
    """Resolve the connection's host, check every address, and connect to the first that answers."""
    name = connection._dns_host  # noqa: SLF001  (urllib3 resolves this, and compares certificates with `host`)
    try:
        found = socket.getaddrinfo(name, connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameResolutionError(name, connection, socket.gaierror(str(error))) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        check(connection.host, address)
    try:
        for number, address in enumerate(addresses, start=1):
            connection._dns_host = address  # noqa: SLF001
            try:
                return connect()
            except HTTPError:
                if number == len(addresses):
                    raise
    finally:
        connection._dns_host = name  # noqa: SLF001
    raise AssertionError("unreachable: a name has an address")
