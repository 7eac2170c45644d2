"""Holding answers against the OpenAPI document: status, media type, headers and body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.urls import URLResolver, get_resolver
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from program_enrollments.rest_api.openapi import read_document

MOUNT = "api/program_enrollments"
DOCUMENT_URI = "urn:document"
UNDESCRIBED = {405, 500}
"""Statuses that no operation describes: of methods that are none, and of what nobody foresaw."""


def dereference(value: Any) -> Any:
    """Follow a reference into the document's components."""
    if not isinstance(value, dict) or "$ref" not in value:
        return value
    target: Any = read_document()
    for part in value["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return dereference(target)


@lru_cache(maxsize=1)
def _registry() -> Any:
    resource: Any = Resource.from_contents(read_document(), default_specification=DRAFT202012)
    return Registry().with_resource(DOCUMENT_URI, resource)


def validate(value: Any, schema: Any) -> None:
    """Fail where a value is not of a schema of the document; formats (UUIDs, times) included."""
    absolute = _absolute(schema)
    Draft202012Validator(absolute, registry=_registry(), format_checker=FormatChecker()).validate(value)


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: f"{DOCUMENT_URI}{value}" if key == "$ref" else _absolute(value) for key, value in schema.items()}
    return [_absolute(item) for item in schema] if isinstance(schema, list) else schema


def routes() -> Iterator[tuple[str, Any]]:
    """Every route of the API, with its view."""

    def walk(patterns: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern.callback

    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == f"{MOUNT}/":
            yield from walk([pattern], "")


def path_of(route: str) -> str:
    """Return a Django route as the document writes it."""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route.removeprefix(MOUNT).lstrip("/"))


def find_operation(route: str, method: str) -> Any:
    """Return the operation at a Django route, or None where the document has none."""
    return read_document()["paths"].get(path_of(route), {}).get(method.lower())


def check_answer(response: Any, *, method: str) -> None:
    """Fail where an answer of the API is none that the document describes."""
    match = response.resolver_match
    operation = find_operation(match.route, "GET" if method == "HEAD" else method) if match is not None else None
    if operation is None or response.status_code in UNDESCRIBED:
        return
    described = dereference(operation["responses"].get(str(response.status_code)))
    assert described, f"{operation['operationId']} does not describe {response.status_code}."
    for header in described.get("headers", {}):
        assert header in response, f"{operation['operationId']} {response.status_code} lacks {header}."
    media_type = response["Content-Type"].partition(";")[0]
    content = described.get("content", {})
    assert media_type in content, f"{operation['operationId']} {response.status_code} describes no {media_type}."
    if method != "HEAD" and media_type.endswith("json"):
        validate(response.json(), content[media_type]["schema"])
