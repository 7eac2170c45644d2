"""Query parameters that several operations take."""

from __future__ import annotations

from collections.abc import Sequence

from program_enrollments.rest_api.openapi.components import DAY, MOMENT, SENT_TEXT, UUID
from program_enrollments.rest_api.openapi.descriptions import Parameter

PAGE_SIZE = Parameter(
    "page_size",
    "Rows of a page: 100 unless said otherwise, 1,000 at most; what is no number above 0 counts as not given.",
    {"type": "string"},
    "100",
)
PAGING = (
    Parameter("cursor", "Taken from next or previous of another page.", {"type": "string"}, "bjQy"),
    PAGE_SIZE,
)
TRUTH = {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"}


WRITING = (
    Parameter("dry_run", "Whether to answer what a real call would, and write nothing.", TRUTH, "true"),
    Parameter(
        "detail", "Whether to answer with a list that says what was before, and why rows are refused.", TRUTH, "true"
    ),
)


def enrollment_filters(statuses: Sequence[str]) -> tuple[Parameter, ...]:
    """Return the filters of a list of enrollments that can have these statuses."""
    return (
        Parameter("status", "Only these.", {"type": "string", "enum": list(statuses)}, statuses[0]),
        Parameter(
            "account_exists", "Only learners with an account, or only those without: true or false.", TRUTH, "false"
        ),
        Parameter(
            "student_key", "Only this learner; may be given several times.", SENT_TEXT, ["student1"], repeatable=True
        ),
        Parameter(
            "modified_since",
            "Only those changed at this time or later; with an offset.",
            MOMENT,
            "2026-09-01T00:00:00Z",
        ),
    )


def text(name: str, description: str, example: str) -> Parameter:
    """Return a parameter of any text that is not blank."""
    return Parameter(name, description, SENT_TEXT, example)


def uuid(name: str, description: str, example: str) -> Parameter:
    """Return a parameter that is a UUID."""
    return Parameter(name, description, UUID, example)


def day(name: str, description: str, example: str) -> Parameter:
    """Return a parameter that is a date."""
    return Parameter(name, description, DAY, example)


def choice(name: str, description: str, words: Sequence[str]) -> Parameter:
    """Return a parameter that is one of these words."""
    return Parameter(name, description, {"type": "string", "enum": list(words)}, words[-1])


FORMAT = choice("format", "The form, in the place of Accept. A CSV file is the whole list.", ("json", "csv"))
