"""Rows of enrollment writes: JSON to requests, and outcomes to one word per row.

This module refuses a body as a whole if its form is wrong. The domain checks the contents, row by row (docs/api.rst,
Program enrollments). This is a hot path: plain loops, and one cheap test per value that all good values pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard, TypeVar
from uuid import UUID

from rest_framework.response import Response

from program_enrollments.api import Acknowledgement
from program_enrollments.conf import get_setting
from program_enrollments.data import (
    AcknowledgementState,
    CourseEnrollmentRequest,
    ProgramEnrollmentRequest,
    RowOutcome,
    Word,
)
from program_enrollments.exceptions import TooManyRows
from program_enrollments.normalization import parse_uuid, strip_invisible
from program_enrollments.rest_api.bodies import MAX_TEXT, Ambiguous, BodyError, refuse
from program_enrollments.rest_api.idempotency import forget

ALL_GOOD, MIXED, ALL_BAD = 200, 207, 422
MAX_ERRORS = 100
"""Checking a body stops after this many errors."""

UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (Unicode's Cc, NUL among them) and lone surrogates."""

R = TypeVar("R")
Raw = dict[str, Any]
Refusal = tuple[str, str, str]
"""Name of the member, code, and message."""


class RowRefused(Exception):
    """The form of one row is wrong, with its errors."""

    def __init__(self, *refusals: Refusal) -> None:
        self.refusals = refusals
        super().__init__()


def read_program_rows(body: Any, *, with_curricula: bool = True) -> list[ProgramEnrollmentRequest]:
    """Return the rows of a program write.

    `body` is the result of `bodies.read_json`. Without `with_curricula`, `curriculum_uuid` is ignored, whatever its
    value. Raises InvalidBody, TooManyRows.
    """
    uuids: dict[str, UUID] = {}

    def read(row: Raw) -> ProgramEnrollmentRequest:
        key, student_key, email, status = _read_identity_and_status(row)
        curriculum = row.get("curriculum_uuid") if with_curricula else None
        if curriculum is None:
            return ProgramEnrollmentRequest(key, student_key, email, status)
        # Rows share few curricula.
        uuid = uuids.get(curriculum) if type(curriculum) is str else None
        if uuid is None:
            uuid = parse_uuid(curriculum) if type(curriculum) is str else None
            if uuid is None:
                raise RowRefused(("curriculum_uuid", "not_a_uuid", "curriculum_uuid is not a UUID."))
            uuids[curriculum] = uuid
        return ProgramEnrollmentRequest(key, student_key, email, status, uuid)

    return _read_rows(body, read)


def read_course_rows(body: Any) -> list[CourseEnrollmentRequest]:
    """Return the rows of a course write.

    `body` is the result of `bodies.read_json`. Raises InvalidBody, TooManyRows.
    """

    def read(row: Raw) -> CourseEnrollmentRequest:
        key, student_key, email, status = _read_identity_and_status(row)
        course_staff = row.get("course_staff")
        if course_staff is not None and type(course_staff) is not bool:
            course_staff = _read_word_of_truth(course_staff)
        return CourseEnrollmentRequest(key, student_key, email, status, course_staff)

    return _read_rows(body, read)


def read_student_keys(body: Any) -> list[str]:
    """Return the student IDs of a body `[{student_key}]`. Raises InvalidBody."""

    def read(row: Raw) -> str:
        student_key = row.get("student_key")
        if student_key is None:
            raise RowRefused(("student_key", "missing", "The row has no student_key."))
        if not _is_plain(student_key):
            raise RowRefused(_refuse_value("student_key", student_key))
        return student_key

    return _read_rows(body, read)


def read_acknowledgements(body: Any) -> list[Acknowledgement]:
    """Return the rows of a body `[{student_key, state, detail?}]`. Raises InvalidBody, TooManyRows."""

    def read(row: Raw) -> Acknowledgement:
        student_key: Any = row.get("student_key")
        state: Any = row.get("state")
        remark: Any = row.get("detail")
        refusals: list[Refusal] = []
        if student_key is None:
            refusals.append(("student_key", "missing", "The row has no student_key."))
        elif not _is_plain(student_key):
            refusals.append(_refuse_value("student_key", student_key))
        if state not in AcknowledgementState.values:
            words = " or ".join(AcknowledgementState.values)
            refusals.append(("state", "unknown_state", f"state must be {words}."))
        if remark is not None and remark != "" and not _is_plain(remark):
            refusals.append(_refuse_value("detail", remark))
        elif remark is not None and len(remark) > MAX_TEXT:
            refusals.append(("detail", "too_long", f"detail may have at most {MAX_TEXT} characters."))
        if refusals:
            raise RowRefused(*refusals)
        return Acknowledgement(student_key, AcknowledgementState(state), (remark or "").strip())

    return _read_rows(body, read)


def _read_rows(body: Any, read: Callable[[Raw], R]) -> list[R]:
    if not isinstance(body, list):
        raise refuse(BodyError(None, "", "not_a_list", "The body must be a list of rows."))
    limit: int = get_setting("MAX_ROWS")
    rows: list[R] = []
    errors: list[BodyError] = []
    # Rows beyond the limit are refused anyway, so checking them would be wasted.
    for number, row in enumerate(body[:limit]):
        try:
            if type(row) is not dict:
                raise RowRefused(_refuse_row(row))
            rows.append(read(row))
        except RowRefused as refused:
            errors += [
                BodyError(number, f"/{number}/{name}" if name else f"/{number}", code, detail)
                for name, code, detail in refused.refusals
            ]
            if len(errors) >= MAX_ERRORS:
                break
    if errors:
        raise refuse(*errors[:MAX_ERRORS])
    if len(body) > limit:
        raise TooManyRows(limit=limit, received=len(body))
    return rows


def _refuse_row(row: Any) -> Refusal:
    if isinstance(row, Ambiguous):
        return "", "duplicate_name", "The row gives a name twice."
    return "", "not_an_object", "The row is not an object."


def _read_identity_and_status(row: Raw) -> tuple[str, str, str, str]:
    """Return answer key, student ID, e-mail address and status.

    An identity that is absent or null is an empty string.
    """
    student_key, email, status = row.get("student_key"), row.get("email"), row.get("status")
    if (
        (student_key is None or _is_plain(student_key))
        and (email is None or _is_plain(email))
        and (student_key is not None or email is not None)
        and _is_plain(status)
    ):
        student_key, email = student_key or "", email or ""
        return student_key or email, student_key, email, status
    refusals = [
        _refuse_value(name, value)
        for name, value in (("student_key", student_key), ("email", email), ("status", status))
        if value is not None and not _is_plain(value)
    ]
    if student_key is None and email is None:
        refusals.append(("", "no_identity", "The row has neither student_key nor email."))
    if status is None:
        refusals.append(("status", "missing", "The row has no status."))
    raise RowRefused(*refusals)


def _is_plain(value: Any) -> TypeGuard[str]:
    """Return whether a value is text that is not blank and has no refused characters.

    Numbers have been parsed to text before.
    """
    if type(value) is not str or not value or value.isspace():
        return False
    if not (value.isascii() or strip_invisible(value)):
        return False
    # Printable text has no refused characters. Other text can still be fine, such as a no-break space.
    return value.isprintable() or UNUSABLE.search(value) is None


def _refuse_value(name: str, value: Any) -> Refusal:
    if type(value) is not str:
        return name, "not_text", f"{name} is neither a string nor a number."
    if UNUSABLE.search(value) is not None:
        return name, "unusable_characters", f"{name} has control characters or half of a surrogate pair."
    return name, "blank", f"{name} is blank."


def _read_word_of_truth(value: Any) -> bool | None:
    word = value.strip().lower() if type(value) is str else None
    if word == "":
        return None
    if word not in {"true", "false"}:
        raise RowRefused(("course_staff", "not_a_boolean", "course_staff is neither true nor false."))
    return word == "true"


def rows_response(outcomes: Sequence[RowOutcome], *, detailed: bool = False) -> Response:
    """Return `{key: word}` with 200 if all rows are good, 422 if none is, else 207.

    Without rows the status is 200. With `detailed`, the answer is a list in the request's order, with the statuses
    before and the reasons of refused rows.
    """
    good = sum(outcome.good for outcome in outcomes)
    status = ALL_GOOD if good == len(outcomes) else MIXED if good else ALL_BAD
    answer: Any = {outcome.key: outcome.word for outcome in outcomes}
    response = Response([_detailed(outcome) for outcome in outcomes] if detailed else answer, status=status)
    if Word.INTERNAL_ERROR in {outcome.word for outcome in outcomes}:
        # The row may go through another time; a retry under the same key tries it, and repeats no other.
        forget(response)
    return response


def _detailed(outcome: RowOutcome) -> dict[str, Any]:
    return {
        "key": outcome.key,
        "word": outcome.word,
        "good": outcome.good,
        "changed": outcome.changed,
        "before": outcome.before,
        "after": outcome.word if outcome.good else outcome.before,
        "detail": outcome.detail,
    }
