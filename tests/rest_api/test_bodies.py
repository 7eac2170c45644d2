"""Bodies that are refused as a whole: 400 `invalid_body` with every error named, and nothing written."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.data import CourseEnrollmentRequest, ProgramEnrollmentRequest
from program_enrollments.models import Learner
from program_enrollments.rest_api.errors import InvalidBody
from program_enrollments.rest_api.rows import MAX_ERRORS, read_course_rows, read_program_rows
from tests.examples import examples
from tests.rest_api.callers import Caller, Campus

GOOD = '{"student_key": "S-0", "status": "enrolled"}'


def refused(caller: Caller, path: str, body: bytes, method: str = "POST") -> list[tuple[int | None, str, str]]:
    """Send the body, check that it is refused as a whole, and return row, pointer and code of each error."""
    response = caller.send(method, path, body)
    answer = response.json()
    assert (response.status_code, answer["error_code"]) == (400, "invalid_body")
    assert response["Content-Type"] == "application/problem+json"
    assert not Learner.objects.exists()
    for error in answer["errors"]:
        assert set(error) == {"row", "pointer", "code", "detail"}
        assert error["detail"]
    return [(error["row"], error["pointer"], error["code"]) for error in answer["errors"]]


# They are refused by what reads them: no row gets as far as the database.
@pytest.mark.once
class TestBodiesThatAreNoListOfRows:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "not_json"),
            (b" ", "not_json"),
            (b"not json", "not_json"),
            (b"[", "not_json"),
            (b"[1,]", "not_json"),
            (b"[] []", "not_json"),
            (b"[NaN]", "not_json"),
            (b"[Infinity]", "not_json"),
            (b"[-Infinity]", "not_json"),
            (b'["\x00"]', "not_json"),
            (b'["\\x"]', "not_json"),
            (b"[" * 100_000, "not_json"),
            (b'{"a":' * 100_000, "not_json"),
            (b'["\xff"]', "not_utf8"),
            (b'["\xed\xa0\x80"]', "not_utf8"),
            ("[]".encode("utf-16"), "not_utf8"),
            ("[]".encode("utf-32-le"), "not_json"),
            (b"null", "not_a_list"),
            (b"true", "not_a_list"),
            (b"12", "not_a_list"),
            (b'"rows"', "not_a_list"),
            (b"{}", "not_a_list"),
            (b'{"student_key": "S-1", "status": "enrolled"}', "not_a_list"),
        ],
    )
    def test_are_refused(self, campus: Campus, sis: Caller, body: bytes, code: str) -> None:
        for method in ("POST", "PUT", "PATCH"):
            assert refused(sis, campus.enrollments, body, method) == [(None, "", code)]
            assert refused(sis, campus.course_enrollments, body, method) == [(None, "", code)]

    def test_a_body_shorter_than_announced_is_refused(self, campus: Campus, sis: Caller) -> None:
        cut = {"wsgi.input": io.BytesIO(f"[{GOOD}]".encode()), "CONTENT_LENGTH": "1000"}
        response = sis.send("POST", campus.enrollments, environ=cut)
        assert (response.status_code, response.json()["error_code"]) == (400, "invalid_body")


ROWS = [
    ("null", "", "not_an_object"),
    ("7", "", "not_an_object"),
    ('"S-1"', "", "not_an_object"),
    ("[]", "", "not_an_object"),
    ('{"status": "enrolled"}', "", "no_identity"),
    ('{"student_key": null, "email": null, "status": "enrolled"}', "", "no_identity"),
    ('{"student_key": "S-1"}', "/status", "missing"),
    ('{"student_key": "S-1", "status": null}', "/status", "missing"),
    ('{"student_key": "S-1", "status": ""}', "/status", "blank"),
    ('{"student_key": "S-1", "status": " "}', "/status", "blank"),
    ('{"student_key": "S-1", "status": true}', "/status", "not_text"),
    ('{"student_key": "S-1", "status": ["enrolled"]}', "/status", "not_text"),
    ('{"student_key": "S-1", "status": "enrolled\\u0000"}', "/status", "unusable_characters"),
    ('{"student_key": "", "status": "enrolled"}', "/student_key", "blank"),
    ('{"student_key": "\\u00a0\\u3000 ", "status": "enrolled"}', "/student_key", "blank"),
    ('{"student_key": "", "email": "ann@uni.example", "status": "enrolled"}', "/student_key", "blank"),
    ('{"student_key": "S-1", "email": " ", "status": "enrolled"}', "/email", "blank"),
    ('{"student_key": true, "status": "enrolled"}', "/student_key", "not_text"),
    ('{"student_key": {"id": "S-1"}, "status": "enrolled"}', "/student_key", "not_text"),
    ('{"student_key": ["S-1"], "status": "enrolled"}', "/student_key", "not_text"),
    ('{"student_key": {}, "email": "ann@uni.example", "status": "enrolled"}', "/student_key", "not_text"),
    ('{"student_key": "S\\u0000", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "S\\u001f1", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "S-1\\n", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "S\\t1", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "S\x7f1", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "S\u00851", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "\\ud800", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"student_key": "\\udf93\\ud83c", "status": "enrolled"}', "/student_key", "unusable_characters"),
    ('{"email": "ann\\u0000@uni.example", "status": "enrolled"}', "/email", "unusable_characters"),
    ('{"student_key": "S-1", "student_key": "S-2", "status": "enrolled"}', "", "duplicate_name"),
]


class TestRowsOfAWrongForm:
    @pytest.mark.parametrize(("row", "pointer", "code"), ROWS)
    def test_refuse_the_body_and_are_named(
        self, campus: Campus, sis: Caller, row: str, pointer: str, code: str
    ) -> None:
        body = f"[{GOOD}, {row}]".encode()
        assert refused(sis, campus.enrollments, body) == [(1, f"/1{pointer}", code)]
        assert refused(sis, campus.course_enrollments, body) == [(1, f"/1{pointer}", code)]

    @pytest.mark.parametrize(
        "value",
        ['""', '"MCS 2026"', "7", "true", "[]", "{}", '"{aaaaaaaa-0000-4000-8000-000000000011}"', '"urn:uuid:1"'],
    )
    def test_a_curriculum_that_is_no_uuid(self, campus: Campus, sis: Caller, value: str) -> None:
        row = f'{{"student_key": "S-1", "status": "enrolled", "curriculum_uuid": {value}}}'
        assert refused(sis, campus.enrollments, f"[{row}]".encode()) == [(0, "/0/curriculum_uuid", "not_a_uuid")]

    @pytest.mark.parametrize("value", ['"None"', '""', "7", "[]", '"aaaaaaaa-0000-4000-8000-000000000011"'])
    def test_an_update_reads_the_curriculum_only_if_it_may_move(self, campus: Campus, sis: Caller, value: str) -> None:
        sis.post(campus.enrollments, [json.loads(GOOD)])
        body = f"[{GOOD}]".replace("}", f', "curriculum_uuid": {value}}}').encode()
        refused = 422 if "aaaa" in value else 400

        assert sis.patch(campus.enrollments, body).json() == {"S-0": "enrolled"}
        assert sis.patch(campus.enrollments, body, query={"move_curriculum": "true"}).status_code == refused
        for method in ("POST", "PUT"):
            assert sis.send(method, campus.enrollments, body).status_code == refused

    @pytest.mark.parametrize("value", ['"yes"', "1", "0", "[]", "{}", '"tru"'])
    def test_course_staff_that_is_neither_true_nor_false(self, campus: Campus, sis: Caller, value: str) -> None:
        row = f'{{"student_key": "S-1", "status": "active", "course_staff": {value}}}'
        assert refused(sis, campus.course_enrollments, f"[{row}]".encode()) == [(0, "/0/course_staff", "not_a_boolean")]

    def test_every_error_of_every_row_is_named_in_order(self, campus: Campus, sis: Caller) -> None:
        body = json.dumps([{}, {"student_key": "S-1", "status": "enrolled"}, {"email": {}, "status": 7}, []]).encode()
        assert refused(sis, campus.enrollments, body) == [
            (0, "/0", "no_identity"),
            (0, "/0/status", "missing"),
            (2, "/2/email", "not_text"),
            (3, "/3", "not_an_object"),
        ]

    def test_errors_end_at_a_hundred(self, campus: Campus, sis: Caller) -> None:
        errors = refused(sis, campus.enrollments, json.dumps([{}] * 9_000).encode())
        assert len(errors) == MAX_ERRORS == 100


class TestCourseStaff:
    @pytest.mark.parametrize(
        ("value", "meant"),
        [
            (True, True),
            (False, False),
            ("true", True),
            ("FALSE", False),
            (" True ", True),
            (None, None),
            ("", None),
            ("  ", None),
        ],
    )
    def test_is_read(self, value: Any, meant: bool | None) -> None:
        [row] = read_course_rows([{"student_key": "S-1", "status": "active", "course_staff": value}])
        assert row.course_staff is meant


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["student_key", "email", "status"]), inner),
    max_leaves=10,
)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "student_key": JSON,
        "email": JSON,
        "status": st.sampled_from(["enrolled", "active", "gone"]) | JSON,
        "curriculum_uuid": st.uuids().map(str) | JSON,
        "course_staff": JSON,
    },
)


class TestAnythingAtAll:
    """Whatever comes: an answer, and never a 5xx (the client of these tests raises on anything unforeseen)."""

    @examples(60)
    @given(body=st.lists(ROW, max_size=4) | JSON)
    def test_json_is_answered(self, campus: Campus, sis: Caller, body: Any) -> None:
        for path in (campus.enrollments, campus.course_enrollments):
            response = sis.put(path, body)
            assert response.status_code in {200, 207, 400, 422}
            if response.status_code != 400:
                assert "internal-error" not in response.json().values()

    @examples(60)
    @given(body=st.binary(max_size=60))
    def test_bytes_are_answered(self, campus: Campus, sis: Caller, body: bytes) -> None:
        assert sis.put(campus.enrollments, body).status_code in {200, 207, 400, 422}

    @given(rows=st.lists(ROW, max_size=3))
    def test_rows_become_requests_or_are_refused(self, rows: list[Any]) -> None:
        as_parsed = json.loads(json.dumps(rows), parse_int=str, parse_float=str, parse_constant=str)
        for read, kind in ((read_program_rows, ProgramEnrollmentRequest), (read_course_rows, CourseEnrollmentRequest)):
            try:
                requests = read(as_parsed)
            except InvalidBody:
                continue
            assert [type(request) for request in requests] == [kind] * len(rows)
            assert all(request.key.strip() and request.status.strip() for request in requests)
