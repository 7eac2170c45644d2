"""What was found by attacking the running product, and must stay refused."""

from __future__ import annotations

import base64

import pytest
from django.test import Client

from tests.factories.enrollment import CourseRunFactory
from tests.rest_api.callers import Caller, Campus


@pytest.mark.parametrize("blanks", [" ", "  "])
def test_a_course_key_with_blanks_behind_it_is_another_on_every_database(
    campus: Campus, sis: Caller, blanks: str
) -> None:
    run = CourseRunFactory(curricula=[campus.curriculum], external_key="CS-101")

    for key in (run.course_id, run.external_key):
        assert sis.get(f"{campus.path}courses/{key}/enrollments/").status_code == 200
        refused = sis.get(f"{campus.path}courses/{key}{blanks}/enrollments/")
        assert (refused.status_code, refused.json()["error_code"]) == (404, "course_does_not_exist")


def basic(credentials: bytes) -> str:
    return f"Basic {base64.b64encode(credentials).decode()}"


@pytest.mark.parametrize(
    ("form", "authorization", "status", "error"),
    [
        ({}, "Basic \xff", 400, "invalid_request"),
        ({}, basic(b"sis\0:secret"), 400, "invalid_request"),
        ({}, basic(b"sis%00:secret"), 400, "invalid_request"),
        ({"client_id": "\0", "client_secret": "secret"}, None, 400, "invalid_request"),
        ({"client_id": "sis", "client_secret": "\0"}, None, 400, "invalid_request"),
        ({}, "Basic =", 401, "invalid_client"),
        ({}, basic(b"\xff\xfe"), 401, "invalid_client"),
        ({}, basic(b"nobody:secret"), 401, "invalid_client"),
    ],
)
def test_the_token_endpoint_refuses_credentials_that_cannot_be_read(
    client: Client, db: None, form: dict[str, str], authorization: str | None, status: int, error: str
) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}

    refused = client.post("/oauth2/access_token", {"grant_type": "client_credentials", **form}, headers=headers)

    assert (refused.status_code, refused.json()) == (status, {"error": error})
