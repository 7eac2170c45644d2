"""The schema class that turns a view's descriptions into OpenAPI, for drf-spectacular."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from rest_framework import exceptions as drf_exceptions

from program_enrollments import exceptions
from program_enrollments.rest_api import idempotency, request_ids
from program_enrollments.rest_api.errors import BodyTooLarge, InvalidParameter, TooManyRequests, problem_document
from program_enrollments.rest_api.openapi.components import SCHEMAS
from program_enrollments.rest_api.openapi.descriptions import ATTRIBUTE, Answer, Body, Operation, Parameter, ref
from program_enrollments.rest_api.renderers import ACCEPT_REFUSED, ProblemRenderer

REFERENCE = "#/components/schemas/"
SECURITY_SCHEMES: Mapping[str, dict[str, str]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of OAuth2 client credentials, from {host}/oauth2/access_token. The word JWT "
        "is taken "
        "in the place of Bearer as well.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "People who are signed in. Writing needs Django's CSRF token in X-CSRFToken.",
    },
}

PATH_PARAMETERS = {
    "school": Parameter("school", "The school's key.", {"type": "string", "minLength": 1}, "uni-a", "path"),
    "program": Parameter(
        "program",
        "The program's UUID, in any letter case.",
        {"type": "string", "format": "uuid"},
        "aaaaaaaa-0000-4000-8000-000000000001",
        "path",
    ),
    "course": Parameter(
        "course",
        "The course run's key, or the school's external key of it; percent-encoded, though a plus sign may stay as it "
        "is.",
        {"type": "string", "minLength": 1},
        "course-v1:UniA+CS101+2026",
        "path",
    ),
    "student_key": Parameter(
        "student_key",
        "The student ID or the e-mail address, percent-encoded, slashes included.",
        {"type": "string", "minLength": 1},
        "student1",
        "path",
    ),
    "job": Parameter("job", "The job's number.", {"type": "integer", "minimum": 1}, 1, "path"),
    "version": Parameter("version", "The version's number, from 1.", {"type": "integer", "minimum": 1}, 1, "path"),
}

REQUEST_ID = Parameter(
    request_ids.HEADER,
    "Names the request in the ledger: 1 to 128 printable ASCII characters. Any other is replaced by one made for the "
    "request.",
    {"type": "string"},
    "nightly-2026-09-01",
    "header",
)
IDEMPOTENCY_KEY = Parameter(
    idempotency.HEADER,
    "Sent again with the same path and body within a day, the first answer is given again and nothing is done twice.",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "b1a7c0de-0000-4000-8000-000000000001",
    "header",
)
REQUEST_ID_ANSWERED = {
    request_ids.HEADER: {"description": "The request's ID, as sent or as made.", "schema": {"type": "string"}}
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
CHALLENGE = {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}}
AMBIGUOUS_COURSE = exceptions.AmbiguousCourse(candidates=["course-v1:UniA+CS101+2026", "course-v1:UniA+CS101+2027"])
UNKNOWN_PARAMETER = InvalidParameter(
    parameter="stauts", detail='There is no parameter "stauts" here. Did you mean "status"? The parameters are: status.'
)
"""Every operation refuses unknown parameters. This is its example if it has no other one."""
SHARED_RESPONSES = {
    401: "NotAuthenticated",
    406: "NotAcceptable",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    503: "HostUnavailable",
}
"""Refusals that are the same in every operation. They are defined once, in the document's components."""
VARYING_CODES = frozenset({"invalid_body", "invalid_parameter", "host_unavailable"})
"""Problems whose examples differ per operation. All other examples are defined once, too."""
HEADERS_BY_STATUS: Mapping[int, dict[str, Any]] = {401: CHALLENGE, 429: RETRY_AFTER, 503: RETRY_AFTER}


class DescribedSchema(AutoSchema):
    """Takes an operation from the description of the view's method. Nothing is guessed from serializers."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        described = getattr(getattr(self.view, method.lower(), None), ATTRIBUTE, None)
        if described is None:
            return None
        # Return copies, because a host's drf-spectacular can have hooks that change them.
        operation = deepcopy(render_operation(described, names=re.findall(r"{(\w+)}", path), method=method))
        _share(registry, operation["responses"])
        _register(registry, operation, public=described.public)
        return operation


def render_operation(operation: Operation, *, names: Iterable[str], method: str) -> dict[str, Any]:
    """Return the operation in OpenAPI's form. `names` are the path's parameters, in their order."""
    names = list(names)
    parameters = [PATH_PARAMETERS[name] for name in names] + list(operation.parameters)
    if not operation.public:
        parameters.append(REQUEST_ID)
    if method == "POST":
        parameters.append(IDEMPOTENCY_KEY)
    rendered: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "tags": [operation.tag],
        "security": [] if operation.public else [{name: []} for name in SECURITY_SCHEMES],
        "parameters": [_parameter(parameter) for parameter in parameters],
    }
    if operation.body is not None:
        rendered["requestBody"] = _body(operation.body)
    answers = {str(status): _answer(answer) for status, answer in operation.answers.items()}
    problems = _problems(operation, names=names, method=method)
    rendered["responses"] = {**answers, **render_refusals(problems, answers=answers)}
    return rendered


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: Any = {"type": "array", "items": parameter.schema} if parameter.repeatable else parameter.schema
    rendered = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "schema": schema,
        "example": parameter.example,
    }
    if parameter.required or parameter.place == "path":
        rendered["required"] = True
    return rendered


def _body(body: Body) -> dict[str, Any]:
    content = {body.media_type: {"schema": body.schema, "example": body.example}}
    content |= {name: {"schema": schema, "example": example} for name, (schema, example) in body.others.items()}
    rendered: dict[str, Any] = {"required": True, "content": content}
    return {"description": body.description, **rendered} if body.description else rendered


def _answer(answer: Answer) -> dict[str, Any]:
    content = {"application/json": {"schema": answer.schema, "example": answer.example}} if answer.schema else {}
    content |= {name: {"schema": schema, "example": example} for name, (schema, example) in answer.others.items()}
    rendered: dict[str, Any] = {"description": answer.description, "headers": REQUEST_ID_ANSWERED}
    return {**rendered, "content": content} if content else rendered


def _problems(operation: Operation, *, names: Iterable[str], method: str) -> list[Exception]:
    """Return every refusal of the operation, each as an exception with a typical detail."""
    problems: list[Exception] = [drf_exceptions.NotAcceptable(ACCEPT_REFUSED)]
    if not operation.public:
        problems += [drf_exceptions.NotAuthenticated(), TooManyRequests(wait=1)]
    if "program" in names:
        problems += [exceptions.ProgramDoesNotExist(), exceptions.PermissionDenied()]
    elif "school" in names:
        problems += [exceptions.PermissionDenied()]
    if "course" in names:
        problems += [exceptions.CourseDoesNotExist(), exceptions.CourseNotInProgram(), AMBIGUOUS_COURSE]
    if operation.body is not None:
        problems += [
            BodyTooLarge(limit=20 * 1024 * 1024),
            drf_exceptions.UnsupportedMediaType("text/plain", detail="Send the body as application/json."),
        ]
    if method == "POST":
        problems += [
            exceptions.RequestInProgress(),
            exceptions.IdempotencyKeyReused(),
            InvalidParameter(parameter=idempotency.HEADER, detail="The Idempotency-Key is too long."),
        ]
    return [*problems, *operation.problems, UNKNOWN_PARAMETER, exceptions.HostError()]


def render_refusals(problems: Iterable[Exception], *, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the responses that are problem documents: one per status, with one example per code."""
    by_status: dict[int, dict[str, Any]] = defaultdict(dict)
    for error in problems:
        document = problem_document(error)
        by_status[document["status"]].setdefault(document["error_code"], document)
    refusals: dict[str, Any] = {}
    for status, documents in sorted(by_status.items()):
        content = {
            ProblemRenderer.media_type: {
                "schema": ref("Problem"),
                "examples": {code: {"value": document} for code, document in documents.items()},
            }
        }
        known = answers.get(str(status), {})
        refusals[str(status)] = {
            "description": " ".join(filter(None, [known.get("description"), f"Problem: {', '.join(documents)}."])),
            "headers": REQUEST_ID_ANSWERED | HEADERS_BY_STATUS.get(status, {}),
            "content": {**known.get("content", {}), **content},
        }
    return refusals


def _share(registry: ComponentRegistry, responses: dict[str, Any]) -> None:
    """Move refusals and examples that are the same everywhere to the document's components."""
    for status, response in responses.items():
        problem = response["content"].get(ProblemRenderer.media_type) if "content" in response else None
        if problem is None:
            continue
        for code, example in problem["examples"].items():
            if code not in VARYING_CODES:
                _add(registry, code, ResolvedComponent.EXAMPLE, example)
                problem["examples"][code] = {"$ref": f"#/components/examples/{code}"}
        name = SHARED_RESPONSES.get(int(status))
        if name is not None and not _varies(problem):
            _register(registry, response, public=True)
            _add(registry, name, ResolvedComponent.RESPONSE, response)
            responses[status] = {"$ref": f"#/components/responses/{name}"}


def _varies(problem: Mapping[str, Any]) -> bool:
    """Return whether the refusal of an interrupted write has members that others of its status lack."""
    return any("committed" in example.get("value", {}) for example in problem["examples"].values())


def _register(registry: ComponentRegistry, operation: Any, *, public: bool) -> None:
    """Put the schemas that an operation refers to among the document's components.

    Schemas that those refer to are put there too.
    """
    for name in sorted(_references(operation)):
        if _add(registry, name, ResolvedComponent.SCHEMA, deepcopy(SCHEMAS[name])):
            _register(registry, SCHEMAS[name], public=True)
    if not public:
        for name, scheme in SECURITY_SCHEMES.items():
            _add(registry, name, ResolvedComponent.SECURITY_SCHEMA, dict(scheme))


def _add(registry: ComponentRegistry, name: str, kind: str, schema: dict[str, Any]) -> bool:
    """Register a component unless it is there; return whether it is new."""
    component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)  # type: ignore[no-untyped-call]
    if component in registry:
        return False
    registry.register(component)
    return True


def _references(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        target = value.get("$ref", "")
        found = {target.removeprefix(REFERENCE)} if target.startswith(REFERENCE) else set()
        return found.union(*(_references(inner) for inner in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(_references(inner) for inner in value))
    return set()
