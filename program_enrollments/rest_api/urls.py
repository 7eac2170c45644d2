"""Paths of the REST API. A host mounts them at `api/program_enrollments/` with
`include("program_enrollments.rest_api.urls")`.
"""

from __future__ import annotations

from django.urls import include, path, register_converter

from program_enrollments.rest_api.converters import Anything, Rest, Segment
from program_enrollments.rest_api.endpoints import NothingHere

register_converter(Segment, "segment")
register_converter(Anything, "anything")
register_converter(Rest, "rest")

app_name = "university_enrollments"

urlpatterns = [
    path("v1/", include("program_enrollments.rest_api.v1.urls")),
    # Last: no page of the host's may answer under this root, and no redirect to a path with a slash.
    path("<rest:path>", NothingHere.as_view(), name="nothing-here"),
]
