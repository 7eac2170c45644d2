"""The OpenAPI document of the API, at the API."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments.rest_api.endpoints import Endpoint
from program_enrollments.rest_api.openapi import read_document

PATH = "v1/schema/"


class Description(Endpoint):
    """`schema/`: the same for all callers, and public, since it is in the repository too."""

    public = True
    throttle_classes = []

    def get(self, request: Request) -> Response:
        response = Response(read_document(mount=request.path.removesuffix(f"/{PATH}")))
        response["Cache-Control"] = "public, max-age=3600"
        return response
