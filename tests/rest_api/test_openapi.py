"""The OpenAPI document: complete, true to its own examples, and committed as it is."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from program_enrollments.rest_api.endpoints import NothingHere
from program_enrollments.rest_api.openapi.components import SCHEMAS
from program_enrollments.rest_api.openapi.document import URLCONF, build_document
from tests.rest_api.callers import Caller, Campus
from tests.rest_api.conformance import dereference, find_operation, routes, validate

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yaml"
Operation = dict[str, Any]


def operations() -> list[Any]:
    return [
        pytest.param(operation, id=operation["operationId"])
        for methods in build_document()["paths"].values()
        for operation in methods.values()
    ]


def examples(media: dict[str, Any]) -> list[Any]:
    """Every example of a media type, those that are kept among the components too."""
    named = [dereference(example)["value"] for example in media.get("examples", {}).values()]
    return named + ([media["example"]] if "example" in media else [])


@pytest.mark.once
def test_the_committed_document_is_what_the_code_says() -> None:
    assert COMMITTED.read_bytes() == OpenApiYamlRenderer().render(build_document(), renderer_context={}), (
        "docs/openapi.yaml differs from the code. Run `make schema` and commit what it writes."
    )
    assert yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))["openapi"] == "3.1.0"


def test_a_host_that_generates_a_document_of_its_own_changes_nothing_of_this_one() -> None:
    before = deepcopy(SCHEMAS)
    SchemaGenerator(urlconf=URLCONF).get_schema(request=None, public=True)
    assert before == SCHEMAS


@pytest.mark.once
def test_the_document_is_valid_openapi() -> None:
    validate_schema(build_document())


def test_every_method_of_every_endpoint_is_described() -> None:
    undescribed = [
        f"{method.upper()} {route}"
        for route, view in routes()
        if view.cls is not NothingHere
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view.cls, method) and find_operation(route, method) is None
    ]
    assert not undescribed


def test_operations_have_names_of_their_own() -> None:
    names = [parameter.id for parameter in operations()]
    assert len(names) == len(set(names))


def test_every_schema_that_has_a_name_is_used() -> None:
    assert set(build_document()["components"]["schemas"]) == set(SCHEMAS)


@pytest.mark.parametrize("operation", operations())
def test_every_answer_has_an_example_and_every_example_is_of_its_schema(operation: Operation) -> None:
    contents = [dereference(response).get("content", {}) for response in operation["responses"].values()]
    if "requestBody" in operation:
        contents.append(operation["requestBody"]["content"])
    assert any(contents)
    for content in contents:
        assert content
        for media in content.values():
            assert examples(media)
            for example in examples(media):
                validate(example, media["schema"])
    for parameter in operation["parameters"]:
        validate(parameter["example"], parameter["schema"])


@pytest.mark.parametrize("operation", operations())
def test_every_operation_but_this_document_says_how_to_authenticate(operation: Operation) -> None:
    if operation["operationId"] == "getDescription":
        assert operation["security"] == []
    else:
        assert operation["security"] == [{"token": []}, {"session": []}]
        assert {"401", "406", "429"} <= set(operation["responses"])


class TestServed:
    def test_everybody_may_read_it_where_it_is_mounted(self, db: None) -> None:
        response = Caller().get("schema/")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        assert response.json() == build_document()
        assert response.json()["servers"] == [{"url": "/api/program_enrollments"}]

    def test_it_says_where_it_is_mounted(self) -> None:
        assert build_document(mount="/lms/enrollments")["servers"] == [{"url": "/lms/enrollments"}]

    def test_it_is_the_only_thing_that_needs_no_token(self, campus: Campus) -> None:
        for path in ("", "programs/", campus.path, "schema", "schema/x"):
            assert Caller().get(path).status_code == 401
