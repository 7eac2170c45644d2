"""Writing and listing program enrollments over HTTP. What the words mean for what is stored is in tests/api/."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from program_enrollments.models import Learner, LedgerEntry, PreemptiveProgramEnrollment, ProgramEnrollment
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramEnrollmentFactory,
    SchoolEmailDomainFactory,
)
from tests.factories.host import UserFactory
from tests.rest_api.callers import Caller, Campus

ENROLLED = {"status": "enrolled"}


def rows(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    listed: list[dict[str, Any]] = response.json()["results"]
    return listed


class TestAnswers:
    def test_nothing_asked_is_nothing_done(self, campus: Campus, sis: Caller) -> None:
        for method in ("POST", "PUT", "PATCH"):
            response = sis.send(method, campus.enrollments, [])
            assert (response.status_code, response.json()) == (200, {})

    def test_all_good_is_200(self, campus: Campus, sis: Caller) -> None:
        response = sis.post(
            campus.enrollments,
            [{"student_key": "S-1", "status": "enrolled"}, {"email": "ann@uni.example", "status": "pending"}],
        )
        assert (response.status_code, response.json()) == (200, {"S-1": "enrolled", "ann@uni.example": "pending"})
        assert response["Content-Type"] == "application/json"

    def test_good_and_bad_is_207(self, campus: Campus, sis: Caller) -> None:
        response = sis.post(
            campus.enrollments, [{"student_key": "S-1", **ENROLLED}, {"student_key": "S-2", "status": "gone"}]
        )
        assert (response.status_code, response.json()) == (207, {"S-1": "enrolled", "S-2": "invalid-status"})

    def test_only_bad_is_422(self, campus: Campus, sis: Caller) -> None:
        response = sis.patch(campus.enrollments, [{"student_key": "S-1", **ENROLLED}])
        assert (response.status_code, response.json()) == (422, {"S-1": "not-in-program"})

    def test_each_method_treats_what_exists_in_its_own_way(self, campus: Campus, sis: Caller) -> None:
        row = [{"student_key": "S-1", **ENROLLED}]
        assert sis.patch(campus.enrollments, row).json() == {"S-1": "not-in-program"}
        assert sis.post(campus.enrollments, row).json() == {"S-1": "enrolled"}
        assert sis.post(campus.enrollments, row).json() == {"S-1": "conflict"}
        assert sis.patch(campus.enrollments, [{**row[0], "status": "ended"}]).json() == {"S-1": "ended"}
        assert sis.put(campus.enrollments, row).json() == {"S-1": "enrolled"}
        assert sis.put(campus.enrollments, [{"student_key": "S-2", **ENROLLED}]).json() == {"S-2": "enrolled"}

    def test_rows_that_name_one_learner_are_all_refused(self, campus: Campus, sis: Caller) -> None:
        response = sis.put(
            campus.enrollments,
            [
                {"student_key": "S-1", **ENROLLED},
                {"student_key": " s-1", "status": "gone"},
                {"email": "ann@uni.example", **ENROLLED},
                {"student_key": "ANN@UNI.EXAMPLE", "email": "ann@uni.example", **ENROLLED},
                {"student_key": "S-3", **ENROLLED},
            ],
        )
        assert (response.status_code, response.json()) == (
            207,
            {
                "S-1": "duplicated",
                " s-1": "duplicated",
                "ann@uni.example": "duplicated",
                "ANN@UNI.EXAMPLE": "duplicated",
                "S-3": "enrolled",
            },
        )
        assert PreemptiveProgramEnrollment.objects.count() == 1

    def test_the_first_word_that_fits_is_told(self, campus: Campus, sis: Caller) -> None:
        SchoolEmailDomainFactory(school=campus.school, domain="uni.example")
        sis.post(campus.enrollments, [{"student_key": "there", **ENROLLED}])
        bad = {"email": "ann@elsewhere.example", "curriculum_uuid": str(uuid4())}

        response = sis.post(
            campus.enrollments,
            [
                {"student_key": "twice", "status": "gone", **bad},
                {"student_key": "twice", "status": "gone", **bad},
                {"student_key": "status", "status": "gone", **bad, "email": "bea@elsewhere.example"},
                {
                    "student_key": "identity",
                    "status": "enrolled",
                    "curriculum_uuid": str(uuid4()),
                    "email": "no e-mail",
                },
                {"student_key": "curriculum", "status": "enrolled", "curriculum_uuid": str(uuid4())},
                {"student_key": "there", "status": "enrolled"},
            ],
        )

        assert response.json() == {
            "twice": "duplicated",
            "status": "invalid-status",
            "identity": "invalid-identity",
            "curriculum": "invalid-curriculum",
            "there": "conflict",
        }

    def test_the_answer_key_is_the_student_id_verbatim(self, campus: Campus, sis: Caller) -> None:
        body = """[
            {"student_key": "  S-1 ", "email": "ann@uni.example", "status": "enrolled"},
            {"student_key": 12345, "status": "enrolled"},
            {"student_key": 1e5, "status": "enrolled"},
            {"student_key": 0.10, "status": "enrolled"},
            {"student_key": -7, "status": "enrolled"},
            {"student_key": 9999999999999999999999999999999999, "status": "enrolled"},
            {"student_key": "J\\u00fcrgen/\\ud83c\\udf93", "status": "enrolled"},
            {"student_key": null, "email": "Bea@Uni.Example", "status": "enrolled"}
        ]"""
        response = sis.post(campus.enrollments, body.encode())

        keys = ["  S-1 ", "12345", "1e5", "0.10", "-7", "9" * 34, "Jürgen/🎓", "Bea@Uni.Example"]
        assert response.json() == dict.fromkeys(keys, "enrolled")
        listed = {row["student_key"] for row in rows(sis.get(campus.enrollments))}
        assert listed == {key.strip() for key in keys}

    def test_a_number_of_a_million_digits_is_a_row_error(self, campus: Campus, sis: Caller) -> None:
        digits = "9" * 1_000_000
        response = sis.post(campus.enrollments, b'[{"student_key": %b, "status": "enrolled"}]' % digits.encode())
        assert (response.status_code, response.json()) == (422, {digits: "invalid-identity"})

    def test_a_string_of_ten_megabytes_is_a_row_error(self, campus: Campus, sis: Caller) -> None:
        key = "x" * 10_000_000
        response = sis.post(campus.enrollments, [{"student_key": key, **ENROLLED}])
        assert (response.status_code, response.json()) == (422, {key: "invalid-identity"})
        assert not Learner.objects.exists()

    def test_a_status_that_is_a_number_is_a_row_error(self, campus: Campus, sis: Caller) -> None:
        response = sis.post(campus.enrollments, [{"student_key": "S-1", "status": 1}])
        assert (response.status_code, response.json()) == (422, {"S-1": "invalid-status"})

    def test_other_fields_are_ignored(self, campus: Campus, sis: Caller) -> None:
        row = {"student_key": "S-1", **ENROLLED, "name": {"first": "\x00"}, "course_staff": "maybe"}
        assert sis.post(campus.enrollments, [row]).json() == {"S-1": "enrolled"}

    def test_a_byte_order_mark_is_let_pass(self, campus: Campus, sis: Caller) -> None:
        body = b"\xef\xbb\xbf" + json.dumps([{"student_key": "S-1", **ENROLLED}]).encode()
        assert sis.post(campus.enrollments, body).json() == {"S-1": "enrolled"}

    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", ""]
    )
    def test_json_is_taken_under_these_names(self, campus: Campus, sis: Caller, content_type: str) -> None:
        assert sis.post(campus.enrollments, [], content_type=content_type).status_code == 200

    @pytest.mark.parametrize(
        "content_type", ["text/csv", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "nonsense"]
    )
    def test_anything_else_is_415(self, campus: Campus, sis: Caller, content_type: str) -> None:
        response = sis.post(campus.enrollments, [], content_type=content_type)
        assert (response.status_code, response.json()["error_code"]) == (415, "unsupported_media_type")


class TestOptions:
    def test_curriculum_is_taken_as_the_only_active_one_where_it_is_left_out(self, campus: Campus, sis: Caller) -> None:
        CurriculumFactory(program=campus.program, is_active=False)
        sis.post(campus.enrollments, [{"student_key": "S-1", **ENROLLED, "curriculum_uuid": None}])
        [row] = rows(sis.get(campus.enrollments))
        assert row["curriculum_uuid"] == str(campus.curriculum.uuid)

    def test_curriculum_stays_unless_it_may_move(self, campus: Campus, sis: Caller) -> None:
        other = CurriculumFactory(program=campus.program)
        there = [{"student_key": "S-1", **ENROLLED, "curriculum_uuid": str(campus.curriculum.uuid).upper()}]
        moved = [{"student_key": "S-1", **ENROLLED, "curriculum_uuid": str(other.uuid)}]
        sis.post(campus.enrollments, there)

        for query in ({}, {"move_curriculum": "false"}):
            assert sis.put(campus.enrollments, moved, query=query).json() == {"S-1": "enrolled"}
            assert rows(sis.get(campus.enrollments))[0]["curriculum_uuid"] == str(campus.curriculum.uuid)
        sis.put(campus.enrollments, moved, query={"move_curriculum": "True"})
        assert rows(sis.get(campus.enrollments))[0]["curriculum_uuid"] == str(other.uuid)

    def test_leaving_takes_course_enrollments_along_only_if_asked_to(self, campus: Campus, sis: Caller) -> None:
        sis.post(campus.enrollments, [{"student_key": "S-1", **ENROLLED}])
        sis.post(campus.course_enrollments, [{"student_key": "S-1", "status": "active"}])
        ended = [{"student_key": "S-1", "status": "ended"}]

        sis.patch(campus.enrollments, ended)
        assert rows(sis.get(campus.course_enrollments))[0]["status"] == "active"
        sis.patch(campus.enrollments, ended, query={"cascade": "true"})
        assert rows(sis.get(campus.course_enrollments))[0]["status"] == "inactive"

    @pytest.mark.parametrize("name", ["move_curriculum", "cascade"])
    @pytest.mark.parametrize("value", ["yes", "", "1", "\x00"])
    def test_an_option_is_true_or_false(self, campus: Campus, sis: Caller, name: str, value: str) -> None:
        response = sis.put(campus.enrollments, [{"student_key": "S-1", **ENROLLED}], query={name: value})
        assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")
        assert response.json()["parameter"] == name
        assert not Learner.objects.exists()

    def test_the_ledger_says_who_asked_and_by_which_request(self, campus: Campus, sis: Caller) -> None:
        response = sis.post(
            campus.enrollments, [{"student_key": "S-1", **ENROLLED}], headers={"X-Request-ID": "nightly 7"}
        )
        entry = LedgerEntry.objects.get()
        assert (entry.request_id, entry.source) == ("nightly 7", "api")
        assert entry.actor_id == response.wsgi_request.user.pk


class TestList:
    def test_a_row_says_what_the_contract_says(self, campus: Campus, sis: Caller) -> None:
        account = UserFactory(username="ann", email="ann@home.example")
        where = {"curriculum": campus.curriculum}
        ProgramEnrollmentFactory(
            **where,
            learner=LinkedLearnerFactory(
                school=campus.school, student_key="S-1", email="ann@uni.example", user=account
            ),
        )
        PreemptiveProgramEnrollmentFactory(
            **where, status="pending", learner=LearnerFactory(school=campus.school, student_key="S-2")
        )
        PreemptiveProgramEnrollmentFactory(
            **where, learner=LearnerFactory(school=campus.school, student_key="", email="bea@uni.example")
        )
        uuid = str(campus.curriculum.uuid)

        assert rows(sis.get(campus.enrollments)) == [
            {
                "student_key": "S-1",
                "status": "enrolled",
                "account_exists": True,
                "curriculum_uuid": uuid,
                "username": "ann",
                "email": "ann@home.example",
            },
            {
                "student_key": "S-2",
                "status": "pending",
                "account_exists": False,
                "curriculum_uuid": uuid,
                "username": "",
                "email": "",
            },
            {
                "student_key": "bea@uni.example",
                "status": "enrolled",
                "account_exists": False,
                "curriculum_uuid": uuid,
                "username": "",
                "email": "bea@uni.example",
            },
        ]

    def test_filters_narrow_the_list(self, campus: Campus, sis: Caller) -> None:
        PreemptiveProgramEnrollmentFactory(curriculum=campus.curriculum, learner__student_key="S-1", status="enrolled")
        PreemptiveProgramEnrollmentFactory(curriculum=campus.curriculum, learner__student_key="S-2", status="ended")
        ProgramEnrollmentFactory(curriculum=campus.curriculum, learner__student_key="S-3", status="enrolled")
        PreemptiveProgramEnrollment.objects.filter(status="ended").update(modified="2020-01-01T00:00:00Z")
        ProgramEnrollment.objects.update(modified="2024-06-01T12:00:00Z")

        def listed(query: str) -> list[str]:
            return [
                row["student_key"] for row in rows(sis.get(f"/api/program_enrollments/v1/{campus.enrollments}?{query}"))
            ]

        assert listed("status=enrolled") == ["S-1", "S-3"]
        assert listed("account_exists=true") == ["S-3"]
        assert listed("account_exists=False&status=ended") == ["S-2"]
        assert listed("student_key=s-2&student_key=S-3&student_key=nobody") == ["S-2", "S-3"]
        assert listed("student_key=nobody") == []
        assert listed("modified_since=2024-06-01T12:00:00Z") == ["S-1", "S-3"]
        assert listed("modified_since=2024-06-01T12:00:00.000001Z") == ["S-1"]
        # A plus sign that nobody escaped.
        assert listed("modified_since=2024-06-01T14:00:00+02:00") == ["S-1", "S-3"]
        assert listed("modified_since=2024-06-01T14:00:00%2B02:00") == ["S-1", "S-3"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("status", "active"),
            ("status", ""),
            ("status", "\x00"),
            ("account_exists", "maybe"),
            ("account_exists", "1"),
            ("modified_since", "yesterday"),
            ("modified_since", "2024-06-01"),
            ("modified_since", "2024-06-01T12:00:00"),
            ("modified_since", "0001-01-01T00:00:00+14:00"),
            ("modified_since", "9999-12-31T23:59:59-14:00"),
            ("modified_since", "2024-06-01T12:00:00Z\x00"),
            ("student_key", ""),
            ("student_key", "S\x00"),
            ("student_key", "S\n1"),
        ],
    )
    def test_a_filter_with_a_value_it_cannot_have_is_refused_by_name(
        self, campus: Campus, sis: Caller, name: str, value: str
    ) -> None:
        response = sis.get(campus.enrollments, query={name: value})
        assert (response.status_code, response.json()["error_code"]) == (400, "invalid_parameter")
        assert response.json()["parameter"] == name
        assert name in response.json()["detail"]

    def test_another_programs_enrollments_are_not_in_it(self, campus: Campus, sis: Caller) -> None:
        PreemptiveProgramEnrollmentFactory(curriculum__program__school=campus.school)
        assert rows(sis.get(campus.enrollments)) == []

    def test_the_program_is_found_in_any_letter_case(self, campus: Campus, sis: Caller) -> None:
        assert sis.get(f"programs/{str(campus.program.uuid).upper()}/enrollments/").status_code == 200


def test_nothing_may_follow_the_end_of_a_path(campus: Campus, sis: Caller) -> None:
    CourseRunFactory(curricula=[campus.curriculum])
    for path in (
        campus.enrollments.rstrip("/"),
        campus.enrollments.rstrip("/") + "X",
        campus.enrollments.rstrip("/") + "X/",
        campus.enrollments + "X",
        campus.enrollments + "/",
        campus.enrollments + "%0A",
        campus.course_enrollments + "X",
    ):
        response = sis.get(path)
        assert (response.status_code, response.json()["error_code"]) == (404, "not_found"), path
