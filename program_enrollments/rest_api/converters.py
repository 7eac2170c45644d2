"""Path converters: what a segment of the API's paths may hold. Percent-encoding is undone before they see it."""

from __future__ import annotations


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
