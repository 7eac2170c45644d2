"""The steps of social-auth's pipeline that sign somebody on. They ignore the user who is signed in."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from social_core.exceptions import AuthException

from program_enrollments import api
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml import connections
from program_enrollments.saml.identities import identify
from program_enrollments.saml.refusals import explain


def read_identity(*, backend: Any, response: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Read the asserted person, and ignore the signed-in user.

    At a shared computer, that user can be somebody else. Raises SignOnRefused if the permanent ID is missing or not a
    single plain value.
    """
    provider = backend.get_provider(response["idp_name"])
    identity = identify(provider=provider, attributes=response["attributes"])
    details = {
        "username": identity.username,
        "email": identity.email,
        "fullname": identity.full_name,
        "first_name": identity.first_name,
        "last_name": identity.last_name,
    }
    return {"user": None, "identity": identity, "uid": identity.uid, "details": details}


def open_account(
    *, backend: Any, identity: api.AssertedIdentity, response: dict[str, Any], **kwargs: Any
) -> dict[str, Any] | HttpResponse:
    """Find or create the account, or redirect to the page that offers an existing one."""
    opened = api.open_account(
        backend=backend.name, identity=identity, assertion=response.get("assertion"), now=timezone.now()
    )
    if opened is None:
        return connections.offer(backend.strategy.request, identity=identity, next_url=response.get("next_url", ""))
    backend.is_disputed = opened.is_disputed
    return {
        "user": opened.user,
        "social": opened.social,
        "is_new": opened.is_new,
        "new_association": opened.is_new,
    }


class SignOnForbidden(AuthException):
    """A refused sign-on through the host's own pipeline. Its text is for the person."""

    def __init__(self, backend: Any, refused: SignOnRefused) -> None:
        self.refused = refused
        super().__init__(backend)

    def __str__(self) -> str:
        return str(explain(self.refused).person)


def confirm_holder(
    *, backend: Any, uid: Any, user: Any = None, social: Any = None, **kwargs: Any
) -> dict[str, Any] | None:
    """Sign on the student who has the ID now, not the account that an old uid names.

    A step for the pipeline of a host with a SAML set-up of its own. Put it right after
    `social_core.pipeline.social_auth.social_user`, which chooses the account by the uid alone. Raises SignOnForbidden,
    which social-auth's middleware shows like its own refusals.
    """
    try:
        confirmed = api.confirm_holder(provider=backend.name, uid=str(uid), now=timezone.now())
    except SignOnRefused as error:
        raise SignOnForbidden(backend, error) from error
    if confirmed is None or (social is None and confirmed.user is None):
        return None
    return {
        "user": confirmed.user,
        "social": confirmed.social,
        "is_new": confirmed.user is None,
        "new_association": confirmed.social is None,
    }
