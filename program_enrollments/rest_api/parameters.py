"""Query parameters: parsed, or refused by name.

Unknown names are refused, too. Otherwise a list with a mistyped filter would return everybody.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.http import QueryDict

from program_enrollments.data import EnrollmentFilters
from program_enrollments.normalization import parse_uuid
from program_enrollments.rest_api.errors import InvalidParameter

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
BLANK_BEFORE_OFFSET = re.compile(r"(?<=\d) (?=\d{2}:?\d{2}$)")

PASSED_OVER = frozenset({"format", "username", "user", "page", "limit"})
"""Names that existing clients send everywhere. They are ignored, except `format` (see `renderers.Negotiation`)."""

ENROLLMENT_FILTERS = ("status", "account_exists", "student_key", "modified_since")
"""The query parameters that `read_enrollment_filters` reads."""

MAX_NAME_SHOWN = 100
LEAST_LIKENESS = 0.6


def refuse_unknown(query: QueryDict, *, known: Collection[str]) -> None:
    """Raise InvalidParameter for an unknown parameter, with the nearest known name."""
    for name in query:
        if name in known or name in PASSED_OVER:
            continue
        shown = "".join(character for character in name[:MAX_NAME_SHOWN] if character.isprintable())
        raise InvalidParameter(
            parameter=shown, detail=f'There is no parameter "{shown}" here. {_suggest(shown, known=known)}'
        )


def _suggest(name: str, *, known: Collection[str]) -> str:
    if not known:
        return "This request takes none."
    alike = difflib.get_close_matches(name.lower(), known, n=1, cutoff=LEAST_LIKENESS)
    suggestion = f'Did you mean "{alike[0]}"? ' if alike else ""
    return f"{suggestion}The parameters are: {', '.join(sorted(known))}."


@dataclass(frozen=True, slots=True)
class Parameters:
    """The query of one request.

    Each method returns None, or the empty tuple, if the parameter is not given. Each raises InvalidParameter, naming
    the parameter, for a value that is blank, has control characters, or is not of the method's kind. If a parameter is
    given twice, the last value counts, except in `texts`.
    """

    query: QueryDict

    def text(self, name: str) -> str | None:
        """Return the parameter's text."""
        values = self.query.getlist(name)
        return self._clean(name, values[-1]) if values else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every value of a repeatable parameter, in the order given."""
        return tuple(self._clean(name, value) for value in self.query.getlist(name))

    def choice(self, name: str, *, words: Collection[str]) -> str | None:
        """Return the parameter's text, which must be one of `words`."""
        value = self.text(name)
        if value is not None and value not in words:
            raise InvalidParameter(parameter=name, detail=f"{name} must be one of: {', '.join(words)}.")
        return value

    def boolean(self, name: str) -> bool | None:
        """Return the parameter as a bool: `true` or `false`, in any letter case."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise InvalidParameter(parameter=name, detail=f"{name} must be true or false.")
        return value.lower() == "true"

    def uuid(self, name: str) -> UUID | None:
        """Return the parameter's UUID."""
        value = self.text(name)
        if value is None:
            return None
        if (parsed := parse_uuid(value)) is None:
            raise InvalidParameter(parameter=name, detail=f"{name} must be a UUID.")
        return parsed

    def moment(self, name: str) -> datetime | None:
        """Return the parameter's moment in UTC: ISO 8601 with date, time and offset.

        The offset is required, because the caller's time zone is unknown. A `+` that was not written `%2B` arrives as a
        space, which is accepted.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(BLANK_BEFORE_OFFSET.sub("+", value))
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise InvalidParameter(
            parameter=name, detail=f"{name} must be a date and time with an offset, such as 2026-09-01T00:00:00Z."
        )

    def day(self, name: str) -> date | None:
        """Return the parameter's day, written YYYY-MM-DD."""
        value = self.text(name)
        if value is None:
            return None
        if DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise InvalidParameter(parameter=name, detail=f"{name} must be a date such as 2026-09-01.")

    def _clean(self, name: str, value: str) -> str:
        if not value.strip():
            raise InvalidParameter(parameter=name, detail=f"{name} must not be blank. Leave it out to not use it.")
        if CONTROL.search(value):
            raise InvalidParameter(parameter=name, detail=f"{name} must not have control characters.")
        return value


def read_enrollment_filters(parameters: Parameters, *, statuses: Collection[str]) -> EnrollmentFilters:
    """Return the filters of a list of enrollments with these possible statuses. Raises InvalidParameter."""
    return EnrollmentFilters(
        status=parameters.choice("status", words=statuses),
        account_exists=parameters.boolean("account_exists"),
        student_keys=parameters.texts("student_key"),
        modified_since=parameters.moment("modified_since"),
    )
