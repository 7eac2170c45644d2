"""`ProblemMiddleware`: what the host's own middleware refuses under the API's root is a problem document too."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from tests.rest_api.callers import ROOT, Caller
from tests.rest_api.test_errors import problem

pytestmark = pytest.mark.once

HOSTS = ["evil.example", "localhost:8000@evil.example", "a b", "[::", "", "ümläut.example".encode().decode("latin-1")]


def refusing(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware of a host that fails, or refuses, as a header says."""
    failures: dict[str, Exception] = {
        "403": PermissionDenied("Keep out, ann@uni.example."),
        "400": BadRequest("What is that, ann@uni.example?"),
        "500": ValueError("ann@uni.example"),
    }

    def middleware(request: HttpRequest) -> HttpResponse:
        wanted = request.headers.get("X-Fail", "")
        if wanted in failures:
            raise failures[wanted]
        if wanted:
            return HttpResponse("<h1>ann@uni.example</h1>", status=int(wanted))
        return get_response(request)

    return middleware


@pytest.mark.parametrize("debug", [True, False])
class TestHost:
    @pytest.mark.parametrize("host", HOSTS)
    def test_a_name_that_is_not_the_sites_is_a_short_problem(
        self, db: None, settings: Settings, debug: bool, host: str
    ) -> None:
        settings.DEBUG = debug
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            for path in (f"{ROOT}programs/", f"{ROOT}schema/", "/api/program_enrollments/nowhere"):
                response = Client().generic(method, path, b"[]", headers={"Host": host})
                document = problem(response)
                assert (response.status_code, document["error_code"]) == (400, "invalid_parameter")
                assert document["parameter"] == "Host"
                assert len(response.content) < 1000
                assert response["X-Request-ID"]

    def test_the_hosts_own_pages_stay_its_own(self, db: None, settings: Settings, debug: bool) -> None:
        settings.DEBUG = debug
        for path in ("/", "/admin/", "/api/docs/", "/api/program_enrollmentsX/"):
            response = Client().get(path, headers={"Host": "evil.example"})
            assert (response.status_code, response["Content-Type"].partition(";")[0]) == (400, "text/html")

    def test_no_answer_names_the_host_that_was_sent(self, db: None, settings: Settings, debug: bool) -> None:
        settings.DEBUG = debug
        response = Client().get(f"{ROOT}programs/", headers={"Host": "evil.example"})
        assert b"evil" not in response.content


def test_it_is_logged_where_django_logs_it_without_the_path(db: None, caplog: pytest.LogCaptureFixture) -> None:
    Client().get(f"{ROOT}programs/x/learners/S-7001/", headers={"Host": "evil.example"})
    assert "S-7001" not in caplog.text
    [record] = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert record.levelno == logging.ERROR
    assert "evil.example" in record.getMessage()


@pytest.mark.parametrize("debug", [True, False])
class TestMiddlewareOfTheHost:
    @pytest.fixture(autouse=True)
    def failing(self, db: None, settings: Settings, debug: bool) -> None:
        settings.DEBUG = debug
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.rest_api.test_middleware.refusing"]

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            ("400", "invalid_parameter"),
            ("403", "permission_denied"),
            ("404", "not_found"),
            ("500", "internal_error"),
            ("503", "host_unavailable"),
        ],
    )
    def test_its_pages_become_problems(self, status: str, code: str) -> None:
        client = Client(raise_request_exception=False)
        response = client.get(f"{ROOT}programs/", headers={"X-Fail": status})
        assert (response.status_code, problem(response)["error_code"]) == (int(status), code)
        assert b"uni.example" not in response.content
        assert client.get("/", headers={"X-Fail": status})["Content-Type"].startswith("text/html")

    def test_answers_of_the_api_pass_unchanged(self, sis: Caller) -> None:
        assert sis.get("programs/").status_code == 200
        assert sis.get("programs/x/").json()["error_code"] == "program_does_not_exist"


def test_a_host_that_does_not_mount_the_api_is_left_alone(db: None, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.demo_lms.token_urls"
    response: Any = Client().get("/nowhere/", headers={"Host": "evil.example"})
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (400, "text/html")
