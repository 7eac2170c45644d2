"""Who may read, freeze and reopen grades."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

from program_enrollments.data import Permission
from program_enrollments.models import CourseRun, Program
from tests.factories.enrollment import CurriculumFactory, GrantFactory
from tests.factories.host import ServiceUserFactory
from tests.rest_api.grades.conftest import REPORTS, ROOT, assert_problem, post


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        (Permission.METADATA, set()),
        (Permission.READ_ENROLLMENTS, set()),
        (Permission.WRITE_ENROLLMENTS, set()),
        (Permission.READ_REPORTS, {"", "freezes/", "freezes/1/"}),
        (Permission.FREEZE_GRADES, {"freeze/"}),
        (Permission.REOPEN_GRADES, {"reopen/"}),
    ],
)
def test_each_grant_allows_its_own(
    client: Client, url: str, program: Program, permission: Permission, allowed: set[str]
) -> None:
    user = ServiceUserFactory()
    GrantFactory(user=user, school=None, program=program, permission=permission)
    client.force_login(user)

    def status(path: str) -> int:
        writes = path in {"freeze/", "reopen/"}
        return int((post(client, url + path) if writes else client.get(url + path)).status_code)

    statuses = {path: status(path) for path in ("", "freezes/", "freezes/1/", "freeze/", "reopen/")}

    assert {path for path, found in statuses.items() if found != 403} == allowed
    whole = f"{ROOT}/programs/{program.uuid}/grades/freeze/"
    assert (post(client, whole).status_code != 403) == (permission == Permission.FREEZE_GRADES)


def test_another_schools_run_is_not_there(client: Client, url: str) -> None:
    user = ServiceUserFactory()
    other = CurriculumFactory().program
    for permission in REPORTS:
        GrantFactory(user=user, school=other.school, permission=permission)
    client.force_login(user)

    for path in ("", "freezes/", "freezes/1/"):
        assert_problem(client.get(url + path), 404, "program_does_not_exist")
    for path in ("freeze/", "reopen/"):
        assert_problem(post(client, url + path), 404, "program_does_not_exist")


def test_a_run_of_another_program_has_no_grades_here(sis: Client, url: str, run: CourseRun) -> None:
    other = CurriculumFactory(program__school=Program.objects.get().school).program
    path = f"{ROOT}/programs/{other.uuid}/courses/{quote(run.course_id)}/grades/"

    assert_problem(sis.get(path), 404, "course_not_in_program")
    assert_problem(post(sis, f"{path}freeze/"), 404, "course_not_in_program")
    assert_problem(sis.get(path.replace("CS101", "CS999")), 404, "course_does_not_exist")


def test_who_does_not_say_who_they_are_gets_nothing(client: Client, url: str) -> None:
    assert_problem(client.get(url), 401, "not_authenticated")
    assert_problem(post(client, f"{url}freeze/"), 401, "not_authenticated")


def test_other_methods_are_refused(sis: Client, url: str) -> None:
    assert_problem(post(sis, url), 405, "method_not_allowed")
    assert_problem(sis.get(f"{url}freeze/"), 405, "method_not_allowed")
    assert_problem(sis.delete(f"{url}freezes/1/"), 405, "method_not_allowed")
