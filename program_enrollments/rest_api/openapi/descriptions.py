"""Descriptions of operations: what each takes and gives, written where its method is defined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

Json = Any
Schema = Mapping[str, Any]
M = TypeVar("M", bound=Callable[..., Any])

ATTRIBUTE = "openapi_operation"


def ref(name: str) -> dict[str, str]:
    """Return a reference to a schema of `components`."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> dict[str, Any]:
    """Return the schema of a list's envelope whose rows are of the schema `name`."""
    return {
        "allOf": [ref("Page"), {"type": "object", "properties": {"results": {"type": "array", "items": ref(name)}}}]
    }


def page_example(*rows: Json, **more: Json) -> dict[str, Json]:
    """Return an example of a list's envelope."""
    return {"next": None, "previous": None, **more, "results": list(rows)}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation.

    `place` is `query`, `path` or `header`; those of a path are always required.
    """

    name: str
    description: str
    schema: Schema
    example: Json
    place: str = "query"
    required: bool = False
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: JSON of this schema, with an example. By media type where there are several."""

    schema: Schema
    example: Json
    media_type: str = "application/json"
    description: str = ""
    others: Mapping[str, tuple[Schema, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no refusal: what it says, of which schema, with an example.

    By media type where there are several.
    """

    description: str
    schema: Schema = field(default_factory=dict)
    example: Json = None
    others: Mapping[str, tuple[Schema, Json]] = field(default_factory=dict)


def csv_of(*lines: str) -> dict[str, tuple[Schema, Json]]:
    """Return the media type of an export, with an example of these lines."""
    return {"text/csv": ({"type": "string"}, "".join(f"{line}\r\n" for line in lines))}


@dataclass(frozen=True, slots=True)
class Operation:
    """What an endpoint's method does.

    `problems` are exceptions of `errors.TABLE`, as values: their details are the examples.

    What every operation is refused with (authentication, rate, media type) need not be said; nor what the path's own
    parts bring (programs and course runs that do not exist, missing permissions).
    """

    name: str
    summary: str
    tag: str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    problems: Sequence[Exception] = ()
    public: bool = False


def describe(operation: Operation) -> Callable[[M], M]:
    """Attach the description of an operation to the method that carries it out."""

    def attach(method: M) -> M:
        setattr(method, ATTRIBUTE, operation)
        return method

    return attach


def query_parameters_of(method: Callable[..., Any]) -> frozenset[str]:
    """Return the names of the query parameters that an endpoint's method is described to take."""
    operation: Operation | None = getattr(method, ATTRIBUTE, None)
    taken = operation.parameters if operation is not None else ()
    return frozenset(parameter.name for parameter in taken if parameter.place == "query")


def changed(operation: Operation, **changes: Any) -> Operation:
    """Return a description like another one, but for `changes`."""
    return replace(operation, **changes)
