"""Rules for the answers of a host: which values each port may return.

`checked_host` applies the rules while the app runs, and `contract` tests adapters for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.functional import Promise

from program_enrollments.data import (
    Attendance,
    AttendanceUnavailable,
    DueDate,
    Grade,
    GradeUnavailable,
    HostFailure,
    Seat,
)
from program_enrollments.normalization import MAX_IDENTITY_LENGTH

FRACTION_STEP = Decimal("0.001")
MAX_LETTER_LENGTH = 255

MAX_TITLE_LENGTH = 255
MAX_LINK_LENGTH = 2000

LINK = re.compile(r"(?:/(?![/\\])|https?://[^/\\])", re.IGNORECASE)
"""How an address begins that a page may link to: a path of this site, or another site's. No scripts."""

WANTED_USER = "the ID of a user whom the call names, of the same type"
WANTED_FRACTION = "a finite number from 0 to 1"


class Flaw(NamedTuple):
    """What is wrong with a value: the field, its value, and which values are accepted."""

    field: str
    returned: object
    wanted: str


class Fault(NamedTuple):
    """A flaw in the answer to one call of an adapter."""

    adapter: str
    call: str
    flaw: Flaw

    def __str__(self) -> str:
        """Describe the fault with the value itself. For tests only: the value may be personal data."""
        field, returned, wanted = self.flaw
        kind = type(returned).__name__
        return f"{self.adapter} answered {self.call} with {field} {returned!r} ({kind}). Return {wanted}."


def find_grade_flaw(value: object) -> Flaw | None:
    """Return why a value of `fetch_grades` cannot be shown and frozen; None if it can."""
    if isinstance(value, GradeUnavailable):
        return _find_reason_flaw(value.error)
    if not isinstance(value, Grade):
        return Flaw("the grade", value, "a Grade or a GradeUnavailable")
    percent: object = value.percent
    passed: object = value.passed
    letter: object = value.letter_grade
    if letter is not None and not _is_letter(letter):
        return Flaw("letter_grade", letter, f"None or printable text of 1 to {MAX_LETTER_LENGTH} characters")
    if not _is_fraction(percent):
        return Flaw("percent", percent, WANTED_FRACTION)
    return None if isinstance(passed, bool) else Flaw("passed", passed, "True or False")


def find_attendance_flaw(value: object) -> Flaw | None:
    """Return why a value of `fetch_attendance` cannot be shown; None if it can."""
    if isinstance(value, AttendanceUnavailable):
        return _find_reason_flaw(value.error)
    if not isinstance(value, Attendance):
        return Flaw("the attendance", value, "an Attendance or an AttendanceUnavailable")
    days: Any = value.days_attended
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        return Flaw("days_attended", days, "a whole number, 0 or more")
    if value.completion is not None and not _is_fraction(value.completion):
        return Flaw("completion", value.completion, f"None or {WANTED_FRACTION}")
    return _find_days_flaw(value.first_attended, value.last_attended)


def _find_days_flaw(first: date | None, last: date | None) -> Flaw | None:
    days: list[tuple[str, object]] = [("first_attended", first), ("last_attended", last)]
    for field, day in days:
        if day is not None and not _is_day(day):
            return Flaw(field, day, "None or a date (UTC) without a time")
    if first is None or last is None:
        return None if first is last else Flaw("last_attended", last, "a date if first_attended is one, else None")
    return Flaw("last_attended", last, "a date that is not before first_attended") if last < first else None


def find_seat_flaw(seat: Seat) -> Flaw | None:
    """Return why a seat of a known user and course run cannot be used; None if it can."""
    if not is_line(seat.mode):
        return Flaw("mode", seat.mode, "the name of a course mode")
    is_active: object = seat.is_active
    return None if isinstance(is_active, bool) else Flaw("is_active", is_active, "True or False")


def find_failure_flaw(value: object) -> Flaw | None:
    """Return why a failure cannot be stored and shown; None if it can."""
    if not isinstance(value, HostFailure):
        return Flaw("the failure", value, "a HostFailure")
    if not is_line(value.code):
        return Flaw("code", value.code, "a machine word")
    if not _is_sentence(value.detail) or "\x00" in str(value.detail):
        return Flaw("detail", value.detail, "a sentence without personal data")
    permanent: object = value.permanent
    return None if isinstance(permanent, bool) else Flaw("permanent", permanent, "True or False")


def find_address_flaw(value: object) -> Flaw | None:
    """Return why a confirmed address cannot be compared; None if it can."""
    usable = isinstance(value, str) and value.strip() and "\x00" not in value and len(value) <= MAX_IDENTITY_LENGTH
    return None if usable else Flaw("an address", value, f"an e-mail address of at most {MAX_IDENTITY_LENGTH} letters")


def find_progress_flaw(value: object) -> Flaw | None:
    """Return why a value of `fetch_progress` cannot be shown; None if it can."""
    return None if _is_fraction(value) else Flaw("the progress", value, WANTED_FRACTION)


def find_learner_grade_flaw(value: object) -> Flaw | None:
    """Return why a value of `fetch_learner_grades` cannot be shown; None if it can."""
    return find_grade_flaw(value) if isinstance(value, Grade) else Flaw("the grade", value, "a Grade")


def find_link_flaw(value: object) -> Flaw | None:
    """Return why a page cannot link to an address; None if it can."""
    usable = isinstance(value, str) and len(value) <= MAX_LINK_LENGTH and value.isprintable() and LINK.match(value)
    return None if usable else Flaw("a link", value, "a path of this site, such as /courses/1/, or an https address")


def find_due_date_flaw(value: object, *, after: datetime) -> Flaw | None:
    """Return why a value of `fetch_due_dates` cannot be shown; None if it can."""
    if not isinstance(value, DueDate):
        return Flaw("the due date", value, "a DueDate")
    if not is_line(value.title) or len(value.title) > MAX_TITLE_LENGTH:
        return Flaw("title", value.title, f"printable text of 1 to {MAX_TITLE_LENGTH} characters")
    due: object = value.due
    usable = isinstance(due, datetime) and due.tzinfo is not None and due > after
    return None if usable else Flaw("due", due, "a moment with a time zone, after the one that the call names")


def find_account_flaw(value: object) -> Flaw | None:
    """Return why a value cannot be a user's primary key; None if it can."""
    key: Any = get_user_model()._meta.pk
    wanted = Flaw("a user ID", value, "the primary key of a user")
    try:
        converted = key.to_python(value)
    except (ValidationError, OverflowError):
        return wanted
    if value is None or type(converted) is not type(value) or (isinstance(converted, int) and converted < 1):
        return wanted
    return None


def as_asked(values: Iterable[Hashable]) -> dict[Any, type]:
    """Return the arguments of a call in the form that `is_one_of` takes."""
    return {value: type(value) for value in values}


def is_one_of(value: Any, *, asked: Mapping[Any, type]) -> bool:
    """Return whether `value` is one of `asked`: equal and of the same type, since True and 1.0 equal 1."""
    try:
        return asked.get(value) is type(value)
    except TypeError:
        # The value cannot be hashed.
        return False


def is_line(value: object) -> bool:
    """Return whether `value` is text that can be shown and stored."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def read_fraction(value: object) -> Decimal:
    """Return a number from 0 to 1, rounded to three decimals. Halves are rounded up, as graders do.

    Raises ValueError for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(WANTED_FRACTION)  # noqa: TRY004  (one exception for all that is no fraction)
    number = Decimal(str(value))
    # Round roughly first: `quantize` cannot round a number of many digits to three decimals.
    if not number.is_finite() or not -1 < number < 2:
        raise ValueError(WANTED_FRACTION)
    rounded = number.quantize(FRACTION_STEP, rounding=ROUND_HALF_UP)
    if not 0 <= rounded <= 1:
        raise ValueError(WANTED_FRACTION)
    return abs(rounded)


def plain_line(text: str) -> str:
    """Return `text` on one line, without control characters and lone surrogates.

    Not every database and JSON parser accepts those.
    """
    if text.isprintable():
        return text.strip()
    kept = "".join(" " if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text)
    return kept.strip()


def _find_reason_flaw(reason: object) -> Flaw | None:
    # The app replaces a blank reason by its own words.
    if isinstance(reason, (str, Promise)):
        return None
    return Flaw("error", reason, "a sentence that is safe to show to the school")


def _is_sentence(value: object) -> bool:
    return isinstance(value, (str, Promise)) and bool(str(value).strip())


def _is_letter(value: object) -> bool:
    if not isinstance(value, str):
        return False
    letter = value.strip()
    return 0 < len(letter) <= MAX_LETTER_LENGTH and plain_line(letter) == letter


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_fraction(value: object) -> bool:
    try:
        read_fraction(value)
    except ValueError:
        return False
    return True
