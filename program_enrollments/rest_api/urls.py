"""Paths of the REST API.

A host mounts them at `api/program_enrollments/` with `include("program_enrollments.rest_api.urls")`.
"""

from __future__ import annotations

from django.urls import include, path, register_converter

from program_enrollments.rest_api.endpoints import NothingHere


class Segment:
    """Anything but a slash. The view decides whether it names something, with the API's own 404."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


class Anything(Segment):
    """Anything at all, slashes and line breaks included: course keys, schools' external keys, student IDs."""

    regex = "(?s:.+)"


class Rest(Segment):
    """The rest of a path, which can be empty."""

    regex = "(?s:.*)"


register_converter(Segment, "segment")
register_converter(Anything, "anything")
register_converter(Rest, "rest")

app_name = "university_enrollments"

urlpatterns = [
    path("v1/", include("program_enrollments.rest_api.v1.urls")),
    # Last, so that the host neither shows its own pages under this root nor redirects to a path with a slash.
    path("<rest:path>", NothingHere.as_view(), name="nothing-here"),
]
