"""Programs and course runs, as callers with one grant or another see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as DjangoPermission

from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    GrantFactory,
    ProgramFactory,
    act_for_all_schools,
)
from tests.factories.host import ServiceUserFactory, StaffUserFactory, SuperuserFactory
from tests.rest_api.callers import Caller, Campus, caller_as, caller_granted, make_campus


def listed(caller: Caller, path: str = "programs/", **query: Any) -> list[dict[str, Any]]:
    response = caller.get(path, query=query)
    assert response.status_code == 200
    rows: list[dict[str, Any]] = response.json()["results"]
    return rows


def titles(caller: Caller, **query: Any) -> list[str]:
    return [row["program_title"] for row in listed(caller, **query)]


class TestList:
    def test_a_row_says_what_the_contract_says(self, campus: Campus) -> None:
        program = ProgramFactory(
            school=campus.school, key="uni-a-mcs", title="Computer Science", url="https://uni.example/mcs"
        )
        caller = caller_granted(Permission.WRITE_ENROLLMENTS, Permission.METADATA, program=program)
        assert listed(caller) == [
            {
                "uuid": str(program.uuid),
                "program_key": "uni-a-mcs",
                "program_title": "Computer Science",
                "program_url": "https://uni.example/mcs",
                "program_type": "Masters",
                "school": "uni-a",
                "permissions": ["metadata", "write_enrollments"],
            }
        ]

    @pytest.mark.parametrize("permission", list(Permission))
    def test_any_grant_makes_a_program_visible(self, campus: Campus, permission: Permission) -> None:
        make_campus("uni-b")
        callers = [caller_granted(permission, school=campus.school)]
        if permission in PROGRAM_PERMISSIONS:
            callers.append(caller_granted(permission, program=campus.program))
        for caller in callers:
            [row] = listed(caller)
            assert row["uuid"] == str(campus.program.uuid)
            assert row["permissions"] == [permission.value]

    def test_grants_on_school_and_program_add_up(self, campus: Campus) -> None:
        sibling = ProgramFactory(school=campus.school)
        user = ServiceUserFactory()
        GrantFactory(user=user, school=campus.school, permission=Permission.METADATA)
        GrantFactory(user=user, school=None, program=sibling, permission=Permission.FREEZE_GRADES)
        assert [row["permissions"] for row in listed(caller_as(user))] == [["metadata"], ["freeze_grades", "metadata"]]

    @pytest.mark.parametrize("kind", ["by itself", "in a group", "superuser", "beside a grant"])
    def test_who_acts_for_all_schools_has_everything_everywhere(self, campus: Campus, kind: str) -> None:
        make_campus("uni-b")
        user = SuperuserFactory() if kind == "superuser" else ServiceUserFactory()
        if kind == "in a group":
            group = Group.objects.create(name="registrars")
            group.permissions.add(DjangoPermission.objects.get(codename="act_for_all_schools"))
            user.groups.add(group)
        elif kind != "superuser":
            act_for_all_schools(user)
        if kind == "beside a grant":
            GrantFactory(user=user, school=campus.school, permission=Permission.METADATA)
        caller = caller_as(user)

        rows = listed(caller)

        assert [row["school"] for row in rows] == ["uni-a", "uni-b"]
        assert all(row["permissions"] == sorted(Permission.values) for row in rows)
        assert caller.get(campus.path).json()["permissions"] == sorted(Permission.values)
        assert caller.get(campus.enrollments).status_code == 200

    def test_the_hosts_staff_see_none_and_what_they_are_granted(self, campus: Campus) -> None:
        make_campus("uni-b")
        staff = StaffUserFactory()
        assert listed(caller_as(staff)) == []
        GrantFactory(user=staff, school=campus.school, permission=Permission.METADATA)
        [row] = listed(caller_as(staff))
        assert (row["school"], row["permissions"]) == ("uni-a", ["metadata"])

    def test_somebody_without_grants_sees_none(self, campus: Campus) -> None:
        assert listed(caller_as(ServiceUserFactory())) == []

    def test_filters_narrow_the_list(self, campus: Campus) -> None:
        other = make_campus("uni-b").school
        ProgramFactory(school=other, title="Étude du climat", key="climate", type="Doctorate")
        ProgramFactory(school=campus.school, title="Law 100%", key="llm_2026")
        staff = caller_as(SuperuserFactory())

        assert len(titles(staff)) == 4
        assert len(titles(staff, school="uni-a")) == 2
        assert titles(staff, school="UNI-A") == []
        assert titles(staff, type="doctorate") == ["Étude du climat"]
        assert titles(staff, q="DU CLIM") == ["Étude du climat"]
        assert titles(staff, q="llm_2") == ["Law 100%"]
        assert titles(staff, q="0%") == ["Law 100%"]
        assert titles(staff, q="climate", school="uni-a") == []

    @pytest.mark.parametrize("name", ["school", "type", "q"])
    @pytest.mark.parametrize("value", ["", " ", "\x00", "a\nb"])
    def test_a_filter_that_cannot_be_is_refused_by_name(self, sis: Caller, name: str, value: str) -> None:
        response = sis.get("programs/", query={name: value})
        assert (response.status_code, response.json()["parameter"]) == (400, name)

    def test_a_filter_never_shows_more(self, campus: Campus, sis: Caller) -> None:
        make_campus("uni-b")
        assert listed(sis, school="uni-b") == []
        assert listed(sis, user="1", username="admin", school="uni-b") == []

    def test_it_has_pages(self, campus: Campus, sis: Caller) -> None:
        ProgramFactory.create_batch(2, school=campus.school)
        first = sis.get("programs/", query={"page_size": 2}).json()
        second = sis.get(first["next"]).json()
        assert (len(first["results"]), len(second["results"]), second["next"]) == (2, 1, None)
        assert sis.get(second["previous"]).json()["results"] == first["results"]


class TestDetail:
    def test_it_adds_the_curricula(self, campus: Campus, sis: Caller) -> None:
        old = CurriculumFactory(program=campus.program, name="", is_active=False)
        answer = sis.get(campus.path).json()
        assert answer.pop("curricula") == [
            {"uuid": str(campus.curriculum.uuid), "name": campus.curriculum.name, "is_active": True},
            {"uuid": str(old.uuid), "name": "", "is_active": False},
        ]
        assert [answer] == listed(sis)

    def test_the_uuid_is_taken_in_any_letter_case(self, campus: Campus, sis: Caller) -> None:
        assert sis.get(f"programs/{str(campus.program.uuid).upper()}/").json()["uuid"] == str(campus.program.uuid)

    @pytest.mark.parametrize(
        "uuid", ["nonsense", "{uuid}", "urn:uuid:", "%20", "00000000-0000-0000-0000-00000000000", "%00", "ä"]
    )
    def test_what_is_no_uuid_is_404(self, sis: Caller, uuid: str) -> None:
        response = sis.get(f"programs/{uuid}/")
        assert (response.status_code, response.json()["error_code"]) == (404, "program_does_not_exist")


class TestCourseRuns:
    def test_a_row_says_what_the_contract_says(self, campus: Campus, sis: Caller) -> None:
        run = campus.course_run
        run.url, run.start = "https://uni.example/cs", datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
        run.save()
        assert listed(sis, f"{campus.path}courses/") == [
            {
                "course_id": run.course_id,
                "external_course_key": run.external_key,
                "course_title": run.title,
                "course_url": "https://uni.example/cs",
                "start": "2026-09-01T08:30:00Z",
                "end": None,
                "curriculum_uuid": str(campus.curriculum.uuid),
            }
        ]

    def test_a_run_of_two_curricula_is_a_row_of_each(self, campus: Campus, sis: Caller) -> None:
        second = CurriculumFactory(program=campus.program)
        second.course_runs.add(campus.course_run, CourseRunFactory())
        path = f"{campus.path}courses/"

        assert [row["curriculum_uuid"] for row in listed(sis, path)] == [
            str(campus.curriculum.uuid),
            str(second.uuid),
            str(second.uuid),
        ]
        assert len(listed(sis, path, curriculum=str(second.uuid).upper())) == 2
        assert listed(sis, path, curriculum=str(make_campus("uni-b").curriculum.uuid)) == []
        assert len(listed(sis, path, page_size=2)) == 2

    @pytest.mark.parametrize("value", ["", "nonsense", "\x00", "{aaaaaaaa-0000-4000-8000-000000000011}"])
    def test_a_curriculum_that_is_no_uuid_is_refused(self, campus: Campus, sis: Caller, value: str) -> None:
        response = sis.get(f"{campus.path}courses/", query={"curriculum": value})
        assert (response.status_code, response.json()["parameter"]) == (400, "curriculum")
