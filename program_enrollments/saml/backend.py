"""The social-auth backend: it finds identity providers in the database and checks responses strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import login
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from social_core.backends.base import BaseAuth
from social_django.utils import load_strategy

from program_enrollments import api
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml import pages
from program_enrollments.saml.assertions import Assertion, Expectation, read_assertion
from program_enrollments.saml.configuration import acs_url, get_sign_on_settings, sp_entity_id
from program_enrollments.saml.documents import issuer_of, read_response, refusing_alike, request_id_of
from program_enrollments.saml.identities import identify
from program_enrollments.saml.landing_pages import destination, safe_next
from program_enrollments.saml.outcomes import show_outcome
from program_enrollments.saml.pending_requests import PendingRequest, find_request, forget_request
from program_enrollments.saml.refusals import refuse

if TYPE_CHECKING:
    Base = BaseAuth[HttpResponse]
else:
    Base = BaseAuth

RETURNED = "sign_on_returned"
"""The form field that tells the consumer service that our own page posted, not the identity provider's."""


class UniversitySAML(Base):
    """Signs people on through their universities.

    Its pages are those of `saml.urls`; social-auth's own begin and complete views redirect there or behave alike. This
    backend answers every response itself: with a redirect if it signed the person in, with a page otherwise.
    """

    name = "tpa-saml"
    title = "University"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._provider: api.SignOnProvider | None = None
        self.is_disputed = False
        """Whether another account holds the place of the student who signs on. The pipeline's step sets it."""

    @property
    def http_request(self) -> HttpRequest:
        """The request that this backend was created for."""
        request: HttpRequest = cast(Any, self.strategy).request  # Django's strategy has one, others don't
        return request

    def get_provider(self, slug: str) -> api.SignOnProvider:
        """Return the identity provider with this slug, read once per sign-on.

        Raises SignOnRefused if there is none, or it is disabled.
        """
        if self._provider is None or self._provider.slug != slug:
            self._provider = api.get_sign_on_provider(slug=slug)
        return self._provider

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session, or None if the account is inactive.

        Not every version of social-auth checks this.
        """
        user = cast(Any, super()).get_user(user_id)
        return user if user is not None and user.is_active else None

    def start(self) -> HttpResponse:
        """Redirect to the address that starts a sign-on. Called by social-auth's `begin` view."""
        data = self.strategy.request_data()
        slug, next_url = str(data.get("idp", "")), safe_next(self.http_request, data.get("next"))
        return pages.redirect_to("sign_on:start", slug, next_url=next_url) if slug else redirect("sign_on:index")

    def auth_complete(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a posted SAML response."""
        posted = self.http_request.POST
        encoded, relay_state = posted.get("SAMLResponse"), posted.get("RelayState", "")
        try:
            if not encoded:
                raise SignOnRefused(SignOnRefusal.RESPONSE_MISSING)
            if RETURNED not in posted:
                return pages.post_again(self.http_request, field=RETURNED, encoded=encoded, relay_state=relay_state)
            return self._answer(encoded=encoded, relay_state=relay_state)
        except SignOnRefused as error:
            return refuse(self.http_request, error)

    def complete_sign_on(self, *, response: dict[str, Any]) -> HttpResponse:
        """Run the pipeline on asserted attributes, sign the person in and redirect. Raises SignOnRefused.

        `response` has `idp_name` (the slug), `attributes` (lists of values by name) and `next_url` (safe or empty). If
        it comes from a real assertion, it also has `assertion` (an `api.AssertionUse`).
        """
        if self.get_provider(response["idp_name"]).school.is_sandbox:
            raise SignOnRefused(SignOnRefusal.PROVIDER_TEST_ONLY, slug=response["idp_name"])
        outcome = self.strategy.authenticate(self, response=response)
        if isinstance(outcome, HttpResponse):
            return outcome
        if outcome is None:
            raise SignOnRefused(SignOnRefusal.ACCOUNT_INACTIVE, slug=response["idp_name"])
        sign_in(self.http_request, outcome, backend=self)
        if self.is_disputed:
            return show_outcome(self.http_request, next_url=response.get("next_url", ""))
        return HttpResponseRedirect(destination(response.get("next_url", "")))

    def authenticate(self, *args: Any, **kwargs: Any) -> Any:
        """Return whom the pipeline of the backend in `kwargs` signs on; None for other ways of signing in.

        Django calls this on an instance of its own. Versions of social-auth before 5 would run the host's pipeline
        here.
        """
        backend = kwargs.get("backend")
        if not isinstance(backend, UniversitySAML) or not {"strategy", "response"} <= kwargs.keys():
            return None
        return backend.run_authentication(*args, **kwargs)

    def run_authentication(self, *args: Any, **kwargs: Any) -> Any:
        """Run this backend's own pipeline, not the host's.

        The host's pipeline can have steps that attach people to accounts by other evidence.
        """
        kwargs.setdefault("is_new", False)
        args, kwargs = cast(Any, self.strategy).clean_authenticate_args(*args, **kwargs)
        return self.pipeline(list(get_sign_on_settings().PIPELINE), *args, **kwargs)

    def get_user_id(self, details: Any, response: Any) -> str:
        """Return the uid of the asserted person. Raises SignOnRefused."""
        return identify(provider=self.get_provider(response["idp_name"]), attributes=response["attributes"]).uid

    def _answer(self, *, encoded: str, relay_state: str) -> HttpResponse:
        document = read_response(encoded=encoded, private_key=get_sign_on_settings().PRIVATE_KEY)
        request_id = request_id_of(document)
        with refusing_alike(is_malleable=document.is_malleable):
            pending = self._pending(request_id)
            provider, saml = api.get_saml_provider(entity_id=issuer_of(document))
        self._provider = provider
        try:
            with refusing_alike(is_malleable=document.is_malleable):
                if pending is not None and pending.slug != provider.slug:
                    raise SignOnRefused(SignOnRefusal.ISSUER_WRONG)
                if pending is None and not saml.allows_idp_initiated:
                    raise SignOnRefused(SignOnRefusal.UNASKED)
            assertion = read_assertion(document, expected=self._expectation(saml, request_id))
            next_url = pending.next_url if pending else safe_next(self.http_request, relay_state)
            if saml.is_test_only:
                return pages.show_assertion(self.http_request, provider=provider, assertion=assertion)
            response = self.complete_sign_on(response=_asserted(provider, saml, assertion, next_url))
        except SignOnRefused as error:
            raise SignOnRefused(error.code, slug=provider.slug, logged=error.logged) from error
        if pending is not None:
            forget_request(response, request_id=request_id)
        return response

    def _pending(self, request_id: str) -> PendingRequest | None:
        """Return the request that the response answers, or None if it answers no request."""
        if not request_id:
            return None
        pending = find_request(self.http_request, request_id=request_id)
        if pending is None:
            raise SignOnRefused(SignOnRefusal.REQUEST_UNKNOWN)
        return pending

    def _expectation(self, saml: api.SamlProvider, request_id: str) -> Expectation:
        return Expectation(
            issuer=saml.entity_id,
            certificates=saml.certificates,
            acs_url=acs_url(self.http_request),
            audience=sp_entity_id(self.http_request),
            request_id=request_id,
            now=timezone.now(),
            skew=get_sign_on_settings().clock_skew,
        )


def sign_in(request: HttpRequest, user: Any, *, backend: Any) -> None:
    """Sign a user in, and sign out the present one.

    Raises SignOnRefused if the account was deleted meanwhile.
    """
    try:
        with transaction.atomic(using=api.get_database_alias()):
            login(request, user, backend=f"{type(backend).__module__}.{type(backend).__qualname__}")
    except DatabaseError:
        # The update of the account's last sign-in found no row.
        if type(user)._base_manager.filter(pk=user.pk).exists():
            raise
        request.session.flush()
        raise SignOnRefused(SignOnRefusal.ACCOUNT_GONE) from None


def load_university_saml(request: HttpRequest) -> UniversitySAML:
    """Return the backend for a request, of the class that the host configured."""
    strategy: Any = load_strategy(request)  # type: ignore[no-untyped-call]
    backend: UniversitySAML = strategy.get_backend(UniversitySAML.name, redirect_uri=reverse("sign_on:acs"))
    return backend


def _asserted(
    provider: api.SignOnProvider, saml: api.SamlProvider, assertion: Assertion, next_url: str
) -> dict[str, Any]:
    return {
        "idp_name": provider.slug,
        "attributes": assertion.attributes,
        "next_url": next_url,
        "assertion": api.AssertionUse(saml.entity_id, assertion.assertion_id, assertion.expires_at),
    }
