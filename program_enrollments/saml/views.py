"""Views: the start of a sign-on, the return from it, and our metadata."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from program_enrollments import api
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml import pages
from program_enrollments.saml.authn_requests import new_request_id, request_url
from program_enrollments.saml.backend import load_university_saml
from program_enrollments.saml.configuration import acs_url, get_sign_on_settings, sp_entity_id
from program_enrollments.saml.landing_pages import safe_next
from program_enrollments.saml.pending_requests import PendingRequest, remember_request
from program_enrollments.saml.refusals import refuse
from program_enrollments.saml.service_metadata import service_metadata


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the universities that people can sign in through."""
    choices = list(api.fetch_sign_on_choices())
    return pages.show_choices(request, choices=choices, next_url=safe_next(request, request.GET.get("next")))


@login_not_required
@require_safe
def school(request: HttpRequest, key: str) -> HttpResponse:
    """Show a university's own page, or the reason why nobody can sign in through it."""
    try:
        choices = api.get_school_choices(school_key=key)
    except SignOnRefused as error:
        return refuse(request, error)
    if choices.refusal is not None:
        return refuse(request, choices.refusal, school=choices.school)
    return pages.show_school(request, choices=choices, next_url=safe_next(request, request.GET.get("next")))


@login_not_required
@never_cache
@require_safe
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the person to their university, and remember the request in this browser.

    Unlike social-auth, this accepts a plain link: an attacker who lures somebody here can at most sign them in as
    themselves.
    """
    try:
        provider, saml = api.get_saml_provider(slug=slug)
    except SignOnRefused as error:
        return refuse(request, error)
    request_id = new_request_id()
    url = request_url(
        request_id=request_id,
        sso_url=saml.sso_url,
        acs_url=acs_url(request),
        entity_id=sp_entity_id(request),
        private_key=get_sign_on_settings().PRIVATE_KEY,
        now=timezone.now(),
    )
    response = HttpResponseRedirect(url)
    next_url = safe_next(request, request.GET.get("next"))
    remember_request(request, response, pending=PendingRequest(request_id, provider.slug, next_url))
    return response


@login_not_required
@csrf_exempt
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def acs(request: HttpRequest) -> HttpResponse:
    """Answer a response that a university's page has posted (the assertion consumer service)."""
    try:
        too_large = not isinstance(request.POST.get("SAMLResponse", ""), str)
    except RequestDataTooBig:
        too_large = True
    if too_large:
        return refuse(request, SignOnRefused(SignOnRefusal.RESPONSE_TOO_LARGE))
    return load_university_saml(request).auth_complete()


@login_not_required
@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Describe this service to identity providers."""
    xml = service_metadata(
        settings=get_sign_on_settings(), entity_id=sp_entity_id(request), acs_urls=[acs_url(request)]
    )
    return HttpResponse(xml, content_type="application/samlmetadata+xml")
