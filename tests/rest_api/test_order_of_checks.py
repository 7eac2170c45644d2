"""Size, authentication, method, media type, visibility, permission, form, number of rows: in this order, whatever else
is wrong.
"""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from program_enrollments.data import Permission
from program_enrollments.models import Learner
from tests.factories.host import ServiceUserFactory, SuperuserFactory
from tests.rest_api.callers import ROOT, AppSettings, Caller, Campus, caller_as, caller_granted, make_campus

pytestmark = pytest.mark.once

ROW = {"student_key": "S-1", "status": "enrolled"}


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("The body was read.")


class BadChunk(Exception):
    """What a server raises for a malformed chunk: each has exceptions of its own, and not all are OSErrors."""


class Broken(io.BytesIO):
    """A body that the server begins to read and cannot go on with."""

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.error, self.has_begun = error, False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.has_begun:
            raise self.error
        self.has_begun = True
        return b"["


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error_code"]


class TestSize:
    def test_a_body_over_the_limit_is_413_before_anybody_asks_who_calls(
        self, campus: Campus, app_settings: AppSettings
    ) -> None:
        app_settings(MAX_BODY_BYTES=10)
        assert refusal(Caller().post(campus.enrollments, b"x" * 11)) == (413, "body_too_large")

    def test_the_limit_itself_is_allowed(self, campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
        app_settings(MAX_BODY_BYTES=10)
        assert sis.post(campus.enrollments, b"[        ]").status_code == 200
        answer = sis.post(campus.enrollments, b"[         ]").json()
        assert answer["limit"] == 10

    def test_a_body_of_undeclared_size_is_read_up_to_the_limit_and_no_further(
        self, campus: Campus, sis: Caller, app_settings: AppSettings
    ) -> None:
        app_settings(MAX_BODY_BYTES=100_000)
        stream = io.BytesIO(b"[" + b" " * 1_000_000)
        extra = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}

        response = sis.send("POST", campus.enrollments, environ=extra)

        assert refusal(response) == (413, "body_too_large")
        assert stream.tell() == 100_001

    def test_a_body_of_undeclared_size_within_the_limit_is_taken(self, campus: Campus, sis: Caller) -> None:
        stream = io.BytesIO(b'[{"student_key": "S-1", "status": "enrolled"}]')
        extra = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        assert sis.send("POST", campus.enrollments, environ=extra).json() == {"S-1": "enrolled"}

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k-1"}])
    @pytest.mark.parametrize("error", [BadChunk, ConnectionResetError, ValueError, TypeError])
    def test_a_body_that_the_server_cannot_read_is_the_clients_mistake(
        self, campus: Campus, sis: Caller, error: type[Exception], key: dict[str, str], method: str
    ) -> None:
        extra = {"wsgi.input": Broken(error), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        for path in (campus.enrollments, campus.course_enrollments):
            response = sis.send(method, path, environ=extra, headers=key)
            assert refusal(response) == (400, "invalid_body")

    @pytest.mark.parametrize("length", ["-1", "many", "9" * 5000, "1e3"])
    def test_a_nonsensical_length_is_a_clear_refusal(self, campus: Campus, sis: Caller, length: str) -> None:
        response = sis.send("POST", campus.enrollments, b"[]", environ={"CONTENT_LENGTH": length})
        assert response.status_code in {400, 413}

    def test_djangos_own_limit_for_forms_does_not_count(self, campus: Campus, sis: Caller, settings: Settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
        assert sis.post(campus.enrollments, [ROW]).status_code == 200


class TestAuthentication:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer nonsense"},
            {"Authorization": "JWT nonsense"},
            {"Authorization": "Bearer"},
            {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="},
            {"X-User": "admin", "X-Forwarded-User": "admin", "Remote-User": "admin"},
        ],
    )
    def test_without_a_good_token_it_is_401_and_the_body_stays_unread(
        self, campus: Campus, headers: dict[str, str]
    ) -> None:
        stream = {"wsgi.input": Unread(b"[]")}
        response = Caller(headers).send("POST", campus.enrollments, b"[]", environ=stream)
        assert refusal(response) == (401, "not_authenticated")
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    def test_without_a_token_it_is_401_whatever_the_path_the_method_and_the_media_type(self, db: None) -> None:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            for path in ("programs/", "programs/nonsense/", "nowhere/"):
                response = Caller().send(method, path, headers={"Accept": "text/html"})
                assert refusal(response) == (401, "not_authenticated")

    def test_a_switched_off_account_is_401(self, campus: Campus) -> None:
        user = ServiceUserFactory()
        caller = caller_as(user)
        user.is_active = False
        user.save()
        assert caller.get("programs/").status_code == 401

    def test_people_may_use_their_session_but_not_without_protection_against_forgery(self, campus: Campus) -> None:
        caller = caller_granted(*Permission, school=campus.school)
        client = Client(enforce_csrf_checks=True)
        client.force_login(caller.get("programs/").wsgi_request.user)
        person = Caller(client=client)

        assert person.get(campus.enrollments).status_code == 200
        assert refusal(person.post(campus.enrollments, [ROW])) == (403, "permission_denied")
        client.cookies["csrftoken"] = "a" * 32
        assert person.post(campus.enrollments, [ROW], headers={"X-CSRFToken": "a" * 32}).status_code == 200

    def test_the_setting_names_other_authentication_classes(
        self, campus: Campus, sis: Caller, app_settings: AppSettings
    ) -> None:
        app_settings(AUTHENTICATION_CLASSES=["rest_framework.authentication.BasicAuthentication"])
        response = sis.get(campus.path)
        assert refusal(response) == (401, "not_authenticated")
        assert response["WWW-Authenticate"].startswith("Basic ")
        user = SuperuserFactory(username="basic")
        user.set_password("password")
        user.save()
        assert Caller({"Authorization": "Basic YmFzaWM6cGFzc3dvcmQ="}).get(campus.path).status_code == 200


class TestAfterAuthentication:
    """Each line of the table is wrong in one thing more than the line below it, and is refused for the first of
    them.
    """

    BAD_ROWS = [{"status": ""}] * 3

    @pytest.mark.parametrize(
        ("method", "accept", "program", "permissions", "body", "expected"),
        [
            ("DELETE", "text/html", "theirs", "metadata", BAD_ROWS, (405, "method_not_allowed")),
            ("POST", "text/html", "theirs", "metadata", BAD_ROWS, (406, "not_acceptable")),
            ("POST", "*/*", "theirs", "metadata", BAD_ROWS, (404, "program_does_not_exist")),
            ("POST", "*/*", "nonsense", "metadata", BAD_ROWS, (404, "program_does_not_exist")),
            ("POST", "*/*", "ours", "metadata", BAD_ROWS, (403, "permission_denied")),
            ("POST", "*/*", "ours", "write_enrollments", BAD_ROWS, (400, "invalid_body")),
            ("POST", "*/*", "ours", "write_enrollments", [ROW] * 3, (413, "too_many_rows")),
        ],
    )
    def test_the_first_thing_wrong_decides(
        self,
        campus: Campus,
        app_settings: AppSettings,
        method: str,
        accept: str,
        program: str,
        permissions: str,
        body: Any,
        expected: tuple[int, str],
    ) -> None:
        app_settings(MAX_ROWS=2)
        theirs = make_campus("uni-b")
        uuid = {"ours": campus.program.uuid, "theirs": theirs.program.uuid, "nonsense": "nonsense"}[program]
        caller = caller_granted(Permission(permissions), school=campus.school)

        response = caller.send(method, f"programs/{uuid}/enrollments/", body, headers={"Accept": accept})

        assert refusal(response) == expected
        assert not Learner.objects.exists()

    def test_too_many_rows_say_how_many_may_come(self, campus: Campus, sis: Caller, app_settings: AppSettings) -> None:
        app_settings(MAX_ROWS=2)
        answer = sis.post(campus.enrollments, [{**ROW, "student_key": str(number)} for number in range(3)]).json()
        assert (answer["limit"], answer["received"]) == (2, 3)
        assert (
            sis.post(campus.enrollments, [{**ROW, "student_key": str(number)} for number in range(2)]).status_code
            == 200
        )

    def test_rows_beyond_the_limit_are_counted_and_not_looked_at(
        self, campus: Campus, sis: Caller, app_settings: AppSettings
    ) -> None:
        app_settings(MAX_ROWS=2)
        for path in (campus.enrollments, campus.course_enrollments):
            response = sis.put(path, [ROW, {**ROW, "student_key": "S-2"}, {"nonsense": 1}, 7])
            assert refusal(response) == (413, "too_many_rows")
            assert response.json()["received"] == 4
            assert refusal(sis.put(path, [ROW, {"nonsense": 1}, ROW])) == (400, "invalid_body")

    def test_a_method_that_is_not_allowed_says_which_are(self, campus: Campus, sis: Caller) -> None:
        response = sis.send("DELETE", campus.enrollments)
        assert refusal(response) == (405, "method_not_allowed")
        assert response["Allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"

    def test_options_tells_the_methods_and_nothing_of_what_is_not_visible(self, campus: Campus, sis: Caller) -> None:
        response = sis.send("OPTIONS", campus.enrollments)
        assert (response.status_code, response.content) == (204, b"")
        assert response["Allow"] == "GET, POST, PUT, PATCH, HEAD, OPTIONS"
        assert sis.send("OPTIONS", make_campus("uni-b").enrollments).status_code == 404

    def test_head_takes_the_grant_of_get(self, campus: Campus) -> None:
        reader = caller_granted(Permission.READ_ENROLLMENTS, school=campus.school)
        writer = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
        response = reader.send("HEAD", campus.enrollments)
        assert (response.status_code, response.content) == (200, b"")
        assert writer.send("HEAD", campus.enrollments).status_code == 403

    def test_a_learner_of_the_program_sees_no_more_of_it_than_a_stranger(self, campus: Campus, sis: Caller) -> None:
        student = ServiceUserFactory()
        sis.post(campus.enrollments, [ROW])
        Learner.objects.update(user=student, link_how="staff")
        assert refusal(caller_as(student).get(campus.path)) == (404, "program_does_not_exist")

    def test_course_runs_are_looked_for_before_the_permission(self, campus: Campus) -> None:
        other = make_campus("uni-b")
        caller = caller_granted(Permission.METADATA, school=campus.school)
        assert refusal(caller.get(campus.course_enrollments)) == (403, "permission_denied")
        assert refusal(caller.get(f"{campus.path}courses/{other.course_run.course_id}/enrollments/")) == (
            404,
            "course_does_not_exist",
        )

    def test_a_token_in_the_query_is_none(self, campus: Campus, sis: Caller) -> None:
        token = sis.headers["Authorization"].removeprefix("Bearer ")
        for query in ({"access_token": token}, {"username": "admin"}, {"user": "1"}):
            assert Caller().get(campus.path, query=query).status_code == 401


def test_paths_are_below_the_root_the_contract_names() -> None:
    assert ROOT == "/api/program_enrollments/v1/"
