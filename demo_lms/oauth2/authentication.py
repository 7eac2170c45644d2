"""How the API recognizes a client by its access token."""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _
from oauth2_provider.models import AbstractAccessToken, get_access_token_model
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

SCHEMES = {b"jwt", b"bearer"}


class TokenAuthentication(BaseAuthentication):
    """Takes `Authorization: JWT <token>`, which existing clients send, and `Authorization: Bearer <token>`.

    The token is a random string that the server looks up, not a signed JWT, whatever the header calls it: a client
    never looks into its token, a token taken back or a client switched off counts from the next request on, and there
    is no key to guard. That costs one statement a request, which a signed token would also need to see whether its user
    is still active.
    """

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, AbstractAccessToken] | None:
        """Return the token's user and the token; None where the request carries no token.

        A client's own token (client credentials) stands for the user of its application. Raises AuthenticationFailed
        for a token that is unknown or expired and for a user who is inactive or gone.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in SCHEMES:
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Send exactly one token after the scheme in the Authorization header."))
        token = (
            get_access_token_model()
            .objects.select_related("user", "application__user")
            .filter(token_checksum=hashlib.sha256(words[1]).hexdigest())
            .first()
        )
        if token is None or token.is_expired():
            raise AuthenticationFailed(_("This access token is unknown or has expired. Ask for a new one."))
        user = token.user or (token.application and token.application.user)
        if user is None or not user.is_active:
            raise AuthenticationFailed(_("The account behind this access token is not active."))
        return user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the value of `WWW-Authenticate` in an answer 401."""
        return 'Bearer realm="api"'
