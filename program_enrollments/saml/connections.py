"""Connections: an asserted identity waits until the person chooses an account.

The identity is kept in the browser's session. The person has to prove both in this browser: the identity by their
university, and then the account by signing in to it on the host's own sign-in page, with all its steps.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from program_enrollments import api
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.host import get_host
from program_enrollments.normalization import normalize_identity
from program_enrollments.pages.headers import protect
from program_enrollments.saml.backend import load_university_saml, sign_in
from program_enrollments.saml.configuration import contact_of
from program_enrollments.saml.landing_pages import destination
from program_enrollments.saml.outcomes import show_outcome
from program_enrollments.saml.refusals import refuse

SESSION_KEY = "sign_on_connection"
MAX_AGE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class PendingConnection:
    """A proved identity that waits for the person's decision, and the page to go to afterwards.

    `came_back`: the person proved the same identity again, instead of signing in to the existing account.
    """

    identity: api.AssertedIdentity
    next_url: str
    came_back: bool = False

    def is_by_same_person(self, identity: api.AssertedIdentity) -> bool:
        """Return whether the other identity is the same one, asserted again."""
        mine, theirs = (
            (one.school_id, one.slug, normalize_identity(one.remote_id)) for one in (self.identity, identity)
        )
        return mine == theirs


def offer(request: HttpRequest, *, identity: api.AssertedIdentity, next_url: str) -> HttpResponse:
    """Keep the identity in a new session, and redirect to the page that offers the existing account.

    Any signed-in user is signed out. If somebody is signed in later, they have proved after this moment that the
    account is theirs. A person who was sent to the existing account and signed on through the university once more has
    proved nothing new: the page says so, and still leads to where they wanted to go at first.
    """
    before = pending_connection(request)
    came_back = before is not None and before.is_by_same_person(identity)
    if next_url == reverse("sign_on:connect"):
        next_url = before.next_url if before is not None and came_back else ""
    logout(request)
    request.session[SESSION_KEY] = {
        "identity": asdict(identity),
        "next_url": next_url,
        "came_back": came_back,
        "until": int(time.time()) + MAX_AGE_SECONDS,
    }
    return redirect("sign_on:connect")


def pending_connection(request: HttpRequest) -> PendingConnection | None:
    """Return the identity that waits in this browser's session, or None if there is none or it is too old."""
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if kept is None:
        return None
    if kept["until"] < time.time():
        # An asserted identity is deleted as soon as it cannot be used any more.
        settle(request)
        return None
    identity = api.AssertedIdentity(**kept["identity"])
    return PendingConnection(identity, kept["next_url"], bool(kept.get("came_back")))


def settle(request: HttpRequest) -> None:
    """Remove the waiting identity from the session, because the person has decided."""
    request.session.pop(SESSION_KEY, None)


@login_not_required
@csrf_protect
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def connect(request: HttpRequest) -> HttpResponse:
    """Offer the existing account. Connect it or create a new one, as the person decides."""
    pending = pending_connection(request)
    if pending is None:
        return refuse(request, SignOnRefused(SignOnRefusal.CONNECTION_EXPIRED))
    try:
        if request.method == "POST":
            return _decide(request, pending)
        return _ask(request, pending)
    except SignOnRefused as error:
        return refuse(request, error)


def _ask(request: HttpRequest, pending: PendingConnection) -> HttpResponse:
    provider = api.get_sign_on_provider(slug=pending.identity.slug)
    user_id = request.user.pk
    context = {
        "school": provider.school,
        "offer": api.get_offer(identity=pending.identity, user_id=user_id, now=timezone.now()),
        "came_back": pending.came_back,
        "contact": contact_of(provider.school),
        "login_url": f"{get_host().login_url()}?{urlencode({'next': reverse('sign_on:connect')})}",
    }
    return protect(render(request, "program_enrollments/saml/connect.html", context))


def _decide(request: HttpRequest, pending: PendingConnection) -> HttpResponse:
    # Raises if the provider was disabled meanwhile.
    provider = api.get_sign_on_provider(slug=pending.identity.slug)
    backend = load_university_saml(request)
    if request.POST.get("decision") == "connect" and request.user.is_authenticated:
        opened = api.connect_account(
            backend=backend.name, identity=pending.identity, user_id=request.user.pk, now=timezone.now()
        )
        request.session.cycle_key()
        settle(request)
        return show_outcome(
            request, next_url=pending.next_url, connected=provider.school.name, confirmed=opened.is_email_confirmed
        )
    if request.POST.get("decision") == "new":
        opened = _open_second(backend, pending)
        sign_in(request, opened.user, backend=backend)
        settle(request)
        if opened.is_disputed:
            return show_outcome(request, next_url=pending.next_url)
        return HttpResponseRedirect(destination(pending.next_url))
    return redirect("sign_on:connect")


def _open_second(backend: Any, pending: PendingConnection) -> api.OpenedAccount:
    opened = api.open_account(
        backend=backend.name, identity=pending.identity, assertion=None, declined=True, now=timezone.now()
    )
    if opened is None:
        raise SignOnRefused(SignOnRefusal.CONNECTION_EXPIRED, slug=pending.identity.slug)
    return opened
