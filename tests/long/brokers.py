"""Brokers: a queue of one test's own on Redis or RabbitMQ, behind a port that can stop answering."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

URLS = {
    "postgresql": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/15"),
    "mariadb": os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
"""Each database goes with one broker, so that both are tried and no test runs four times."""


@dataclass
class Broker:
    """A queue, and the port through which workers reach it."""

    url: str
    queue: str
    port: Port

    def purge(self) -> int:
        """Throw all messages away that wait in the queue, and return how many there were."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            return int(channel.queue_purge(self.queue) or 0)

    def forget(self) -> None:
        """Delete the queue."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            channel.queue_delete(self.queue)

    def environ(self) -> dict[str, str]:
        """Return what workers have to know."""
        parts = urlsplit(self.url)
        netloc = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        url = urlunsplit(parts._replace(netloc=f"{netloc}127.0.0.1:{self.port.number}"))
        return {"LONG_BROKER": url, "LONG_QUEUE": self.queue, "LONG_ENGINE": "celery"}


@dataclass
class Port:
    """A port that hands everything on to a server, unless it is down: then it cuts and refuses."""

    host: str
    target: int
    is_down: bool = False
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64))
    pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def number(self) -> int:
        return int(self.listening.getsockname()[1])

    def go_down(self) -> None:
        """Cut all connections, and hang up on whoever comes."""
        self.is_down = True
        for pair in self.pairs:
            _cut(*pair)
        self.pairs.clear()

    def come_back(self) -> None:
        self.is_down = False

    def close(self) -> None:
        self.go_down()
        self.listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                if self.is_down:
                    client.close()
                    continue
                server = socket.create_connection((self.host, self.target))
                self.pairs.append((client, server))
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_hand_on, args=(source, sink), daemon=True).start()


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    _cut(source, sink)


def _cut(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextmanager
def open_broker(*, database: str) -> Iterator[Broker]:
    """Give a test a queue on the broker that goes with a database; skip the test if there is none.

    With ``REQUIRE_BROKERS=1`` in the environment (CI sets it) a broker that does not answer is a failure.
    """
    url = URLS[database]
    parts = urlsplit(url)
    try:
        with Connection(url, connect_timeout=5) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except (OperationalError, OSError) as error:
        message = f"no broker answers at {parts.hostname}:{parts.port} ({error}); REDIS_URL and RABBITMQ_URL say where"
        if os.environ.get("REQUIRE_BROKERS") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    port = Port(str(parts.hostname), int(parts.port or 0))
    broker = Broker(url, f"long-{uuid4().hex}", port)
    try:
        yield broker
    finally:
        port.close()
        with suppress(Exception):
            broker.forget()
