"""Bodies: JSON to Python, or refused as a whole before anything is written.

Numbers stay the text that was sent, so that a student ID such as `1e5`, or one of a hundred digits, is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from program_enrollments.rest_api.errors import InvalidBody
from program_enrollments.rest_api.parameters import CONTROL
from program_enrollments.rest_api.raw_bodies import read_raw_body

JSON_TYPES = frozenset({"application/json", "text/json"})
MAX_TEXT = 500


class BodyError(NamedTuple):
    """An error in a body, with its row and a JSON pointer.

    Rows are counted from 0; None stands for the body as a whole.
    """

    row: int | None
    pointer: str
    code: str
    detail: str


class Ambiguous(dict[str, Any]):
    """A JSON object that has one name twice, so that its value is unknown."""


def refuse(*errors: BodyError) -> InvalidBody:
    """Return the exception that refuses a body for these errors. Its detail is the first error's."""
    detail = f"{errors[0].detail} Nothing was written."
    return InvalidBody(detail, errors=[error._asdict() for error in errors])


def read_json(request: Request, *, parse_number: Callable[[str], Any] = str) -> Any:
    """Parse the JSON body. Numbers stay the text that was sent, unless `parse_number` converts them.

    Raises UnsupportedMediaType for another media type, BodyTooLarge, and InvalidBody unless the body is JSON in UTF-8
    (RFC 8259: no NaN and no Infinity; a byte order mark is accepted).
    """
    media_type = str(request.content_type or "").partition(";")[0].strip().lower()
    if media_type and media_type not in JSON_TYPES and not media_type.endswith("+json"):
        raise UnsupportedMediaType(media_type, detail="Send the body as application/json.")
    raw = read_raw_body(request._request)  # noqa: SLF001  (DRF's request has no way to its bytes below Django's own limit)
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=parse_number,
            parse_float=parse_number,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        error = BodyError(None, "", "not_utf8", "The body is not UTF-8.")
    except (ValueError, RecursionError):
        detail = "The body is not JSON." if raw else "The body is empty. Send JSON, with its Content-Length."
        error = BodyError(None, "", "not_json", detail)
    raise refuse(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else Ambiguous(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def read_object(request: Request) -> Mapping[str, Any]:
    """Parse a body that is a JSON object, with numbers as numbers.

    Raises as `read_json` does, and InvalidBody for any other kind of value.
    """
    value = read_json(request, parse_number=float)
    if not isinstance(value, dict):
        raise refuse(BodyError(None, "", "not_an_object", "The body must be a JSON object."))
    if isinstance(value, Ambiguous):
        raise refuse(BodyError(None, "", "duplicate_name", "The object gives a name twice."))
    return value


def read_text(value: Mapping[str, Any], name: str, *, max_length: int = MAX_TEXT) -> str:
    """Return the object's member `name`, a trimmed text.

    Raises InvalidBody if it is missing, not a string, blank or too long, or has control characters or lone surrogates.
    """
    text = value.get(name)
    pointer = f"/{name}"
    if text is None:
        raise refuse(BodyError(None, pointer, "missing", f"{name} is missing."))
    if not isinstance(text, str):
        raise refuse(BodyError(None, pointer, "not_a_string", f"{name} must be a string."))
    if len(text) > max_length:
        raise refuse(BodyError(None, pointer, "too_long", f"{name} may have at most {max_length} characters."))
    if CONTROL.search(text) or not _is_encodable(text):
        detail = f"{name} must not have line breaks or other control characters, nor halves of characters."
        raise refuse(BodyError(None, pointer, "unusable_characters", detail))
    text = text.strip()
    if not text:
        raise refuse(BodyError(None, pointer, "blank", f"{name} must not be blank."))
    return text


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
