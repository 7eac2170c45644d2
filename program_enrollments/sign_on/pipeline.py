"""The steps of social-auth's pipeline that sign somebody on. Whoever happens to be signed in plays no part in any of
them.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.sign_on import connections
from program_enrollments.sign_on.identities import identify


def read_identity(*, backend: Any, response: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Read who was asserted, and forget who is signed in: at a shared computer that is somebody else.

    Raises SignOnRefused where the permanent ID is missing or not a single plain value.
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
    """Find or make the account; where an existing one may be the person's, lead to the page that offers it."""
    opened = api.open_account(
        backend=backend.name, identity=identity, assertion=response.get("assertion"), now=timezone.now()
    )
    if opened is None:
        return connections.offer(backend.strategy.request, identity=identity, next_url=response.get("next_url", ""))
    return {
        "user": opened.user,
        "social": opened.social,
        "is_new": opened.is_new,
        "new_association": opened.is_new,
    }
