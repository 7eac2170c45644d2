"""The OpenAPI document: valid, true to its own examples, and held to the code.

It is written by hand (ADR 0025). What the code knows is compared here; what only an answer shows, `conformance` checks
for every call of the suite, and Schemathesis for calls that nobody thought of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from program_enrollments import __version__
from program_enrollments.data import (
    ChangeKind,
    CourseStatus,
    JobKind,
    JobMode,
    JobState,
    LinkHow,
    LinkState,
    Permission,
    ProgramStatus,
    Source,
    Word,
)
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.rest_api import errors
from program_enrollments.rest_api.endpoints import NothingHere, ProgramEndpoint, SchoolEndpoint
from program_enrollments.rest_api.openapi import read_document
from program_enrollments.rest_api.renderers import CsvRenderer
from tests.rest_api.callers import Caller, Campus
from tests.rest_api.conformance import dereference, path_of, routes, validate

METHODS = ("get", "post", "put", "patch", "delete")
COMPONENTS = "#/components/"
Operation = dict[str, Any]
pytestmark = pytest.mark.once


def described() -> dict[tuple[str, str], Operation]:
    """Return the document's operations by path and method, with the parameters that the path gives to all of them."""
    return {
        (path, method): {**item[method], "parameters": item.get("parameters", []) + item[method].get("parameters", [])}
        for path, item in read_document()["paths"].items()
        for method in METHODS
        if method in item
    }


def served() -> dict[tuple[str, str], Any]:
    """Return the API's views by path and method."""
    return {
        (path_of(route), method): view.cls
        for route, view in routes()
        if view.cls is not NothingHere
        for method in METHODS
        if hasattr(view.cls, method)
    }


OPERATIONS = [pytest.param(*key, id=operation["operationId"]) for key, operation in described().items()]


def parameters(operation: Operation, place: str) -> set[str]:
    return {parameter["name"] for parameter in map(dereference, operation["parameters"]) if parameter["in"] == place}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def examples(media: dict[str, Any]) -> list[Any]:
    """Every example of a media type, those that are kept among the components too."""
    named = [dereference(example)["value"] for example in media.get("examples", {}).values()]
    return named + ([media["example"]] if "example" in media else [])


def test_the_document_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(cast("Any", read_document())).iter_errors()] == []
    assert read_document()["info"]["version"] == __version__


def test_every_method_of_every_endpoint_is_described_and_no_other() -> None:
    assert described().keys() == served().keys()


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in described().values()]
    assert len(names) == len(set(names))


def test_every_component_is_used() -> None:
    document = read_document()
    named = {f"{COMPONENTS}{kind}/{name}" for kind, parts in document["components"].items() for name in parts}
    used = {value["$ref"] for value in walk(document) if isinstance(value.get("$ref"), str)}
    schemes = {f"{COMPONENTS}securitySchemes/{name}" for scheme in document["security"] for name in scheme}
    assert named == used | schemes


class TestHeldToTheViews:
    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_query_parameters_are_those_that_the_method_takes(self, path: str, method: str) -> None:
        taken = served()[path, method].query.get(method.upper(), ())
        assert parameters(described()[path, method], "query") == set(taken)

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_parameters_of_the_path_are_those_in_it(self, path: str, method: str) -> None:
        assert parameters(described()[path, method], "path") == set(re.findall(r"{(\w+)}", path))

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_headers_are_those_that_are_read(self, path: str, method: str) -> None:
        public = served()[path, method].public
        expected = set() if public else {"X-Request-ID"}
        assert parameters(described()[path, method], "header") == expected | (
            {"Idempotency-Key"} if method == "post" else set()
        )

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_whoever_calls_has_to_authenticate_unless_the_endpoint_is_public(self, path: str, method: str) -> None:
        operation = described()[path, method]
        security = operation.get("security", read_document()["security"])
        assert security == ([] if served()[path, method].public else [{"token": []}, {"session": []}])

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_the_refusals_of_every_such_endpoint_are_there(self, path: str, method: str) -> None:
        operation, view = described()[path, method], served()[path, method]
        expected = {"400", "406", "503"}
        if not view.public:
            expected |= {"401", "429"}
        if issubclass(view, ProgramEndpoint | SchoolEndpoint):
            expected |= {"403", "404"}
        if "{course}" in path:
            expected |= {"409"}
        if method != "get":
            assert "requestBody" in operation
            expected |= {"413", "415"}
        if method == "post":
            expected |= {"409", "422"}
        assert expected <= set(operation["responses"])

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_exports_are_described_where_there_are_some(self, path: str, method: str) -> None:
        view = served()[path, method]
        exports = method == "get" and (view.exports or CsvRenderer in view.renderer_classes)
        content = dereference(described()[path, method]["responses"]).get("200", {})
        assert ("text/csv" in dereference(content).get("content", {})) == exports


class TestHeldToTheDomain:
    @pytest.mark.parametrize(
        ("schema", "member", "choices"),
        [
            ("Program", "permissions.items", Permission),
            ("Change", "kind", ChangeKind),
            ("Change", "source", Source),
            ("Job", "kind", JobKind),
            ("Job", "mode", JobMode),
            ("Job", "state", JobState),
            ("Learner", "link.properties.state", LinkState),
            ("Learner", "link.properties.how", LinkHow),
        ],
    )
    def test_words_are_the_domains(self, schema: str, member: str, choices: Any) -> None:
        value = read_document()["components"]["schemas"][schema]["properties"]
        for part in member.split("."):
            value = value[part]
        assert [word for word in value["enum"] if word is not None] == choices.values

    def test_statuses_and_words_of_rows_are_the_domains(self) -> None:
        schemas = read_document()["components"]["schemas"]
        assert schemas["ProgramStatus"]["enum"] == ProgramStatus.values
        assert schemas["CourseStatus"]["enum"] == CourseStatus.values
        words = {word.value for word in Word}
        assert set(schemas["ProgramWord"]["enum"]) == words - {Word.NOT_FOUND} | set(ProgramStatus.values)
        assert set(schemas["CourseWord"]["enum"]) == words - {Word.INVALID_CURRICULUM} | set(CourseStatus.values)

    @pytest.mark.parametrize("name", sorted(read_document()["components"]["examples"]))
    def test_problems_are_in_the_table_of_errors(self, name: str) -> None:
        known = {
            (error.code if issubclass(error, ProgramEnrollmentsError) else entry.code, entry.status, entry.title)
            for error, entry in errors.TABLE.items()
        }
        problem = read_document()["components"]["examples"][name]["value"]
        assert (problem["error_code"], problem["status"], problem["title"]) in known
        assert problem["type"] == errors.TYPE_PREFIX + problem["error_code"]
        assert problem["detail"] == problem["developer_message"]

    @pytest.mark.parametrize(("path", "method"), OPERATIONS)
    def test_problems_are_among_the_answers_of_their_status(self, path: str, method: str) -> None:
        for status, response in described()[path, method]["responses"].items():
            problem = dereference(response).get("content", {}).get("application/problem+json", {})
            assert {example["status"] for example in examples(problem)} <= {int(status)}
            for code in problem.get("examples", {}):
                assert code in dereference(response)["description"]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_has_an_example_and_every_example_is_of_its_schema(path: str, method: str) -> None:
    operation = described()[path, method]
    contents = [dereference(response).get("content", {}) for response in operation["responses"].values()]
    if "requestBody" in operation:
        contents.append(dereference(operation["requestBody"])["content"])
    assert all(contents)
    for content in contents:
        for media in content.values():
            assert examples(media)
            for example in examples(media):
                validate(example, media["schema"])
    for parameter in map(dereference, operation["parameters"]):
        validate(parameter["example"], parameter["schema"])


class TestServed:
    def test_everybody_may_read_it_where_it_is_mounted(self, db: None) -> None:
        response = Caller().get("schema/")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        assert response.json() == read_document()
        assert response.json()["servers"] == [{"url": "/api/program_enrollments"}]

    def test_it_says_where_it_is_mounted(self) -> None:
        assert read_document(mount="/lms/enrollments")["servers"] == [{"url": "/lms/enrollments"}]

    def test_it_is_the_only_thing_that_needs_no_token(self, campus: Campus) -> None:
        for path in ("", "programs/", campus.path, "schema", "schema/x"):
            assert Caller().get(path).status_code == 401
