"""Paths of the REST API.

A host mounts them at `api/program_enrollments/` with `include("program_enrollments.rest_api.urls")`.
"""

from __future__ import annotations

from django.urls import include, path, register_converter

from program_enrollments.rest_api.endpoints import NothingHere


class Segment:
    """Anything but a slash: whether it names something is for the view to say, in the API's own 404."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class Anything(Segment):
    """Anything at all, slashes and line breaks included: course keys, schools' external keys, student IDs."""

    regex = "(?s:.+)"


class Rest(Segment):
    """Whatever is left of a path, also nothing."""

    regex = "(?s:.*)"


register_converter(Segment, "segment")
register_converter(Anything, "anything")
register_converter(Rest, "rest")

app_name = "university_enrollments"

urlpatterns = [
    path("v1/", include("program_enrollments.rest_api.v1.urls")),
    # Last: no page of the host's may answer under this root, and no redirect to a path with a slash.
    path("<rest:path>", NothingHere.as_view(), name="nothing-here"),
]
