"""Where clients get their access tokens."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.views import TokenView


class AccessTokenView(TokenView):
    """The token endpoint, which also answers what its library would break on: 400 `invalid_request` (RFC 6749, 5.2)."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return a token as JSON, or an error of RFC 6749."""
        if not _is_readable(request):
            return JsonResponse({"error": "invalid_request"}, status=400)
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response


def _is_readable(request: HttpRequest) -> bool:
    """Whether the credentials are ones that can be decoded, and looked for in every database: PostgreSQL takes no
    NUL.
    """
    header = request.headers.get("Authorization", "")
    if not header.isascii() or any("\0" in value for values in request.POST.lists() for value in values[1]):
        return False
    scheme, _blank, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return True
    try:
        return b"\0" not in unquote_to_bytes(base64.b64decode(credentials))
    except binascii.Error:
        # The library refuses that by itself.
        return True
