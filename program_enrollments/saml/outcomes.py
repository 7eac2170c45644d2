"""Outcomes of a sign-on that need a word before the landing page.

The person has connected an account, or another account holds their place. What is shown is read after the sign-on has
committed, so that this page and support staff see the same.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from program_enrollments import api
from program_enrollments.pages.headers import protect
from program_enrollments.saml.configuration import get_sign_on_settings
from program_enrollments.saml.landing_pages import destination

SESSION_KEY = "sign_on_outcome"


def show_outcome(request: HttpRequest, *, next_url: str, connected: str = "", confirmed: bool = False) -> HttpResponse:
    """Redirect to the page below, which goes on to `next_url` by itself if there is nothing to say.

    `connected` is the school's name if an account was connected, and `confirmed` whether its address is confirmed now.
    """
    request.session[SESSION_KEY] = {"next_url": next_url, "connected": connected, "confirmed": confirmed}
    return redirect("sign_on:outcome")


@login_not_required
@never_cache
@require_safe
def outcome(request: HttpRequest) -> HttpResponse:
    """Show what the sign-on came to: an account was connected, or has to wait for support staff."""
    if not request.user.is_authenticated:
        return redirect("sign_on:index")
    kept: dict[str, Any] = request.session.get(SESSION_KEY) or {}
    next_url = destination(str(kept.get("next_url", "")))
    disputes = api.fetch_disputes(user_id=request.user.pk)
    if not disputes and not kept.get("connected"):
        return HttpResponseRedirect(next_url)
    context = {
        "connected": kept.get("connected", ""),
        "confirmed": bool(kept.get("confirmed")),
        "disputes": disputes,
        "contact": get_sign_on_settings().SUPPORT_CONTACT,
        "next_url": next_url,
    }
    return protect(render(request, "program_enrollments/saml/outcome.html", context))
