"""Pages: the list of universities, each university's page, the return page, and a test's result."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from program_enrollments import api
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.pages.branding import branding_of
from program_enrollments.pages.headers import protect
from program_enrollments.saml.assertions import Assertion
from program_enrollments.saml.attributes import friendly_name, present_attributes
from program_enrollments.saml.identities import identify, permanent_id_name
from program_enrollments.saml.refusals import explain

TEMPLATES = "program_enrollments/saml"
CHOOSE_ATTRIBUTES = "university_enrollments.change_samlconfiguration"
PERMANENT_ID_PAGE = "admin:university_enrollments_identityprovider_permanent_id"


def redirect_to(name: str, *args: str, next_url: str) -> HttpResponse:
    """Redirect to one of these pages by its URL name, keeping the page to go to afterwards."""
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    return HttpResponseRedirect(reverse(name, args=args) + query)


def show_choices(request: HttpRequest, *, choices: list[Any], next_url: str) -> HttpResponse:
    """Return the page that lists universities.

    `choices` are identity providers in the order of their schools.
    """
    schools = {choice.school_id: choice.school for choice in choices}
    context = {"schools": list(schools.values()), "next_url": next_url}
    return protect(render(request, f"{TEMPLATES}/index.html", context))


def show_school(request: HttpRequest, *, choices: api.SchoolChoices, next_url: str) -> HttpResponse:
    """Return a school's own page: its name, logo and colors, and a link per identity provider."""
    nonce = secrets.token_urlsafe(16)
    branding = branding_of(choices.school)
    context = {
        "school": choices.school,
        "choices": choices.providers,
        "branding": branding,
        "nonce": nonce,
        "next_url": next_url,
    }
    return protect(render(request, f"{TEMPLATES}/school.html", context), nonce=nonce, image_url=branding.logo_url)


def post_again(request: HttpRequest, *, field: str, encoded: str, relay_state: str) -> HttpResponse:
    """Return the page that posts a response again from this site, so that the browser sends its cookies."""
    nonce = secrets.token_urlsafe(16)
    context = {"field": field, "encoded": encoded, "relay_state": relay_state, "nonce": nonce}
    return protect(render(request, f"{TEMPLATES}/post_again.html", context), nonce=nonce)


def show_assertion(request: HttpRequest, *, provider: api.SignOnProvider, assertion: Assertion) -> HttpResponse:
    """Return the page that ends a test sign-on: all asserted attributes, and what a sign-on would do."""
    identity, problem = None, None
    try:
        identity = identify(provider=provider, attributes=assertion.attributes)
    except SignOnRefused as error:
        problem = explain(error).support
    id_name = permanent_id_name(provider)
    context = {
        "provider": provider,
        "id_name": id_name,
        "friendly_id_name": friendly_name(id_name, assertion=assertion),
        "use_url": _use_url(request, provider),
        "attributes": present_attributes(provider=provider, assertion=assertion),
        "identity": identity,
        "problem": problem,
        "email_counts": identity is not None and api.is_email_trusted(identity=identity),
    }
    return protect(render(request, f"{TEMPLATES}/tested.html", context))


def _use_url(request: HttpRequest, provider: api.SignOnProvider) -> str:
    """Return the admin's page on which the viewer may choose the permanent ID's attribute, or ""."""
    if not (request.user.is_active and request.user.is_staff and request.user.has_perm(CHOOSE_ATTRIBUTES)):
        return ""
    try:
        return f"{reverse(PERMANENT_ID_PAGE)}?{urlencode({'slug': provider.slug})}"
    except NoReverseMatch:
        return ""
