"""A host adapter whose answers are what a test makes of the demo LMS's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo_lms.host import DemoHost

Change = Callable[[Any], Any]
UseOddHost = Callable[..., None]


class OddPort:
    """A port of the demo LMS. `changes` has, per method, what is done to each answer."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(**arguments: Any) -> Any:
            return OddHost.changes.get(name, _as_it_is)(method(**arguments))

        return call


class OddHost(DemoHost):
    """The demo LMS, but for `changes`: method name to what is done to its answers."""

    changes: dict[str, Change] = {}

    def __init__(self) -> None:
        super().__init__()
        for name, port in list(vars(self).items()):
            setattr(self, name, OddPort(port))

    def login_url(self) -> str:
        return str(self.changes["login_url"]("")) if "login_url" in self.changes else super().login_url()


def _as_it_is(answer: Any) -> Any:
    return answer


ODD_HOST = f"{OddHost.__module__}.{OddHost.__qualname__}"


def for_user(user: Any, value: Any) -> Change:
    """Replace the answer about one user."""
    return lambda answer: {**answer, user.pk: value}
