"""DEVELOPMENT ONLY: signing in by merely saying what a university would assert.

The same social-auth pipeline runs as after a real SAML response; only the response is made up. Switched off unless the
setting `DEMO_DEV_SIGN_IN` is on, which follows `DEBUG`. Without protection against forged requests, so that `curl` can
use it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from demo_lms.sign_in.forms import AssertionForm
from program_enrollments.api import AttributeNames
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml.backend import load_university_saml
from program_enrollments.saml.identities import EMAIL, FULL_NAME, UID
from program_enrollments.saml.landing_pages import safe_next
from program_enrollments.saml.refusals import explain

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def development_only(view: View) -> View:
    """Make a view answer 404 unless the setting `DEMO_DEV_SIGN_IN` is on."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO_DEV_SIGN_IN:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@csrf_exempt
@never_cache
@development_only
@require_http_methods(["GET", "POST"])
def development_sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; on POST sign in as the person it describes and go to `next` or the dashboard."""
    if request.method == "GET":
        return _page(request, AssertionForm(initial=request.GET.dict()))
    form = AssertionForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    backend = load_university_saml(request)
    asserted = form.cleaned_data
    try:
        provider = backend.get_provider(asserted["idp"].slug)
        return backend.complete_sign_on(
            response={
                "idp_name": provider.slug,
                "attributes": _attributes(provider.attributes, asserted),
                "next_url": safe_next(request, request.POST.get("next")),
            }
        )
    except SignOnRefused as error:
        explanation = explain(error)
        logger.info("Development sign-in refused: %s", error.code)
        form.add_error("remote_id", f"{explanation.person} {explanation.support}")
        inactive = error.code == SignOnRefusal.ACCOUNT_INACTIVE
        return _page(request, form, status=403 if inactive else 400)


def _page(request: HttpRequest, form: AssertionForm, *, status: int = 200) -> HttpResponse:
    return render(request, "demo_lms/sign_in/development.html", {"form": form}, status=status)


def _attributes(names: AttributeNames, asserted: dict[str, Any]) -> dict[str, list[str | None]]:
    """Return the SAML attributes that say what was filled in, under the names this identity provider uses."""
    attributes = {
        names.permanent_id or UID: asserted["remote_id"],
        names.email or EMAIL[0]: asserted["email"],
        names.full_name or FULL_NAME[0]: asserted["full_name"],
        names.username or UID: asserted["remote_id"],
    }
    return {name: [value] for name, value in attributes.items() if value}
