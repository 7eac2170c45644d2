"""Connections: an identity that a university asserted, kept in the browser's session until its account is settled."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from program_enrollments import api

SESSION_KEY = "sign_on_connection"
MAX_AGE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class PendingConnection:
    """A proved identity that waits for the person to say which account is theirs, and where they wanted to go."""

    identity: api.AssertedIdentity
    next_url: str


def offer(request: HttpRequest, *, identity: api.AssertedIdentity, next_url: str) -> HttpResponse:
    """Keep the identity in a new session, and lead to the page that offers the existing account.

    Whoever was signed in is signed out: from here on, being signed in is proof that the person in front of this browser
    has shown just now that the account is theirs.
    """
    logout(request)
    request.session[SESSION_KEY] = {
        "identity": asdict(identity),
        "next_url": next_url,
        "until": int(time.time()) + MAX_AGE_SECONDS,
    }
    return redirect("sign_on:connect")


def pending_connection(request: HttpRequest) -> PendingConnection | None:
    """Return what waits in this browser's session, None where nothing does or it waited too long."""
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if kept is None:
        return None
    if kept["until"] < time.time():
        # What a university said of somebody stays no longer than it is of use.
        settle(request)
        return None
    return PendingConnection(api.AssertedIdentity(**kept["identity"]), kept["next_url"])


def settle(request: HttpRequest) -> None:
    """Forget what waited: it has been settled."""
    request.session.pop(SESSION_KEY, None)
