"""Problem documents: everything under the root that is refused is told as one, and shows nothing of the inside."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from program_enrollments import exceptions
from program_enrollments.rest_api import errors
from tests.factories.host import ServiceUserFactory
from tests.rest_api.callers import AppSettings, Caller, Campus, caller_as
from tests.rest_api.conformance import routes

MEMBERS = ["type", "title", "status", "detail", "developer_message", "error_code"]


def problem(response: Any) -> dict[str, Any]:
    """Check that a response is a problem document and return it."""
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert list(document)[: len(MEMBERS)] == MEMBERS
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:problem-type:program-enrollments:{document['error_code']}"
    assert document["detail"] == document["developer_message"]
    assert document["detail"]
    assert document["title"]
    return document


class TestEveryRefusal:
    @pytest.mark.parametrize("debug", [True, False])
    @pytest.mark.parametrize(
        "path",
        [
            "",
            "nowhere",
            "nowhere/",
            "programs",
            "programs//",
            "programs/x/y/z/",
            "%0A",
            "%00",
            "%FF/",
            "programs/%00/",
            "programs/%0A/",
            "<script>alert(1)</script>/",
            "../",
            "/api/program_enrollments/",
            "/api/program_enrollments/v2/programs/",
        ],
    )
    def test_a_path_that_leads_nowhere_is_a_problem_in_any_mode(
        self, sis: Caller, settings: Settings, path: str, debug: bool
    ) -> None:
        settings.DEBUG = debug
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            response = sis.send(method, path)
            assert response["Content-Type"] == "application/problem+json"
            assert response.status_code == 404 or (response.status_code == 405 and method not in response["Allow"])
        assert problem(sis.get(path))["error_code"] in {"not_found", "program_does_not_exist"}

    def test_a_problem_is_told_as_json_whatever_is_accepted(self, campus: Campus, sis: Caller) -> None:
        for accept in ("text/html", "image/png", "application/xml;q=0.9", "nonsense", "", "*/*", "a" * 10_000):
            assert problem(sis.get("programs/x/", headers={"Accept": accept}))

    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            ("application/json", 200),
            ("*/*", 200),
            ("application/*", 200),
            ("text/html, application/json;q=0.5", 200),
            ("application/json; indent=4", 200),
            ("text/html", 406),
            ("text/csv", 406),
        ],
    )
    def test_answers_are_json_or_406(self, sis: Caller, accept: str, status: int) -> None:
        response = sis.get("programs/", headers={"Accept": accept})
        assert response.status_code == status
        if status == 406:
            assert problem(response)["error_code"] == "not_acceptable"
        else:
            assert response["Content-Type"] == "application/json"

    def test_a_program_is_404_alike_whether_it_is_there_or_not(self, campus: Campus) -> None:
        stranger = caller_as(ServiceUserFactory())
        there = stranger.get(campus.path)
        nowhere = stranger.get("programs/00000000-0000-4000-8000-000000000000/")
        nonsense = stranger.get("programs/nonsense/")
        assert there.content == nowhere.content == nonsense.content
        assert problem(there)["error_code"] == "program_does_not_exist"

    def test_a_query_with_thousands_of_parameters_is_400(self, sis: Caller) -> None:
        response = sis.get("/api/program_enrollments/v1/programs/?" + "a&" * 5000)
        assert problem(response)["error_code"] == "invalid_parameter"
        assert response.status_code == 400

    def test_a_query_that_is_no_utf8_is_answered(self, campus: Campus, sis: Caller) -> None:
        assert sis.get("/api/program_enrollments/v1/programs/?q=%FF&school=%ED%A0%80").status_code == 200


class TestTheUnforeseen:
    @pytest.fixture
    def broken(self, sis: Caller, app_settings: AppSettings) -> Caller:
        """A site whose settings nobody checked."""
        app_settings(PAGE_SIZE="many, and for ann@uni.example")
        return Caller(sis.headers, Client(raise_request_exception=False))

    @pytest.mark.parametrize("debug", [True, False])
    def test_it_is_a_problem_that_says_nothing_of_the_inside(
        self, broken: Caller, settings: Settings, debug: bool
    ) -> None:
        settings.DEBUG = debug
        response = broken.get("programs/")
        document = problem(response)
        assert (response.status_code, document["error_code"]) == (500, "internal_error")
        assert "many" not in response.content.decode()
        assert response["X-Request-ID"]

    def test_the_log_names_type_and_place_and_no_values(self, broken: Caller, caplog: pytest.LogCaptureFixture) -> None:
        broken.get("programs/", headers={"X-Request-ID": "ann@uni.example"})
        logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(logged) == 1
        assert "ValueError at " in logged[0].getMessage()
        assert "lists.py:" in logged[0].getMessage()
        assert logged[0].exc_info is None
        assert "ann" not in caplog.text

    def test_it_is_reported_to_who_listens_as_django_would(self, broken: Caller) -> None:
        with pytest.raises(ValueError, match="many"):
            Caller(broken.headers).get("programs/")


class TestLog:
    def test_refusals_are_logged_without_what_stands_in_the_path(
        self, campus: Campus, sis: Caller, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        sis.get(f"{campus.path}learners/ann@uni.example/")
        sis.get(f"{campus.path}learners/", query={"email": "ann@uni.example"})
        sis.get("ann@uni.example")
        assert "learner_does_not_exist" in caplog.text
        assert "ann" not in caplog.text


class TestTable:
    NEVER_OVER_HTTP = {
        exceptions.ProgramEnrollmentsError,
        exceptions.CatalogUnavailable,
        exceptions.IdentityProviderDoesNotExist,
        exceptions.MetadataUnreachable,
        exceptions.MetadataUnusable,
        exceptions.PermissionMissing,
        exceptions.SignOnRefused,
        # Of the console alone.
        exceptions.AccessRefused,
        exceptions.ContactRefused,
        exceptions.SandboxRefused,
        exceptions.InvitationDoesNotExist,
        exceptions.MetadataRequestDoesNotExist,
        exceptions.WebhookDoesNotExist,
        exceptions.FeedDoesNotExist,
        exceptions.FeedRefused,
        exceptions.WebhookFailed,
        exceptions.WebhookRefused,
    }

    def test_every_exception_that_a_caller_can_meet_has_a_line(self) -> None:
        tree = {
            exception
            for _, exception in inspect.getmembers(exceptions, inspect.isclass)
            if issubclass(exception, exceptions.ProgramEnrollmentsError)
        }
        assert tree - set(errors.TABLE) == self.NEVER_OVER_HTTP

    def test_a_subclass_that_has_no_line_is_told_as_its_base(self) -> None:
        class Special(exceptions.LearnerDoesNotExist):
            code = "special"

        response = errors.problem_response(Special("Not here.", place="there"))
        assert response.data == {
            "type": "urn:problem-type:program-enrollments:special",
            "title": "No such learner",
            "status": 404,
            "detail": "Not here.",
            "developer_message": "Not here.",
            "error_code": "special",
            "place": "there",
        }

    def test_codes_are_those_of_the_contract(self) -> None:
        codes = {
            getattr(exception, "code", "") if issubclass(exception, exceptions.ProgramEnrollmentsError) else entry.code
            for exception, entry in errors.TABLE.items()
        }
        assert {
            "program_does_not_exist",
            "course_does_not_exist",
            "course_not_in_program",
            "learner_does_not_exist",
            "freeze_does_not_exist",
            "bad_cursor",
            "not_found",
            "not_authenticated",
            "permission_denied",
            "invalid_body",
            "invalid_parameter",
            "already_frozen",
            "not_frozen",
            "request_in_progress",
            "body_too_large",
            "too_many_rows",
            "idempotency_key_reused",
            "method_not_allowed",
            "not_acceptable",
            "unsupported_media_type",
            "throttled",
        } <= codes


def test_no_endpoint_runs_in_a_transaction_of_the_hosts() -> None:
    for _, view in routes():
        assert view._non_atomic_requests == {"default"}
