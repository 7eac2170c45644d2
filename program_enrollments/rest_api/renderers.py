"""Renderers of answers: JSON in UTF-8, independent of the host's settings of Django REST framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches, order_by_precedence

FORMAT = "format"
ACCEPT_REFUSED = "The answer cannot be given in a media type that Accept allows."


class JsonRenderer(JSONRenderer):
    """Compact JSON; letters as they are, not escaped."""

    compact = True
    ensure_ascii = False
    strict = True


class ProblemRenderer(JsonRenderer):
    """Problem documents (RFC 9457): JSON for every `Accept` header."""

    media_type = "application/problem+json"
    format = "problem"


class CsvRenderer(BaseRenderer):
    """Says that an endpoint can answer in CSV; `exports` writes it."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        raise NotImplementedError("Endpoints that offer CSV answer with exports.file_response.")


class Negotiation(DefaultContentNegotiation):
    """Chooses by `?format=` if it is given, otherwise by `Accept`. Raises NotAcceptable."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        offered = list(renderers)
        wanted = request.query_params.get(FORMAT)
        if wanted is None:
            return self._select_by_accept(request, offered)
        for renderer in offered:
            if renderer.format == wanted:
                return renderer, str(renderer.media_type)
        words = ", ".join(str(renderer.format) for renderer in offered)
        raise NotAcceptable(f"format must be one of: {words}.")

    def _select_by_accept(self, request: Request, offered: Sequence[BaseRenderer]) -> tuple[BaseRenderer, str]:
        for accepted in order_by_precedence(self.get_accept_list(request)):
            for renderer in offered:
                if any(media_type_matches(str(renderer.media_type), media_type) for media_type in accepted):
                    return renderer, str(renderer.media_type)
        raise NotAcceptable(ACCEPT_REFUSED)
