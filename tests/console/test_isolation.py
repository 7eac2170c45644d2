"""Who may open and send what: every page, every method, every kind of person.

The table is the whole of it: a line for each page, with the permission that looking and that sending take. The matrix
is made from it and from the paths, so a page without a line is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.console.urls import urlpatterns
from program_enrollments.data import PROGRAM_PERMISSIONS, SCHOOL_PERMISSIONS, JobKind, Permission
from program_enrollments.models import Contact, Feed, Invitation, Job, Learner, WebhookEndpoint
from tests.console.conftest import ORIGIN, Desk, administrator, enroll, keep_file, keep_rekeys
from tests.factories.enrollment import (
    GrantFactory,
    IdentityProviderFactory,
    LinkedLearnerFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
    act_for_all_schools,
)
from tests.factories.host import StaffUserFactory, SuperuserFactory, UserFactory
from tests.rest_api.callers import Campus, make_campus

ANY = None
TABLE: dict[str, tuple[str | None, str | None]] = {
    "learners": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "add": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "status": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "learner": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "keep": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "course-keep": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "courses": (ANY, ANY),
    "roster": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "course-add": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "course-status": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "grades": (Permission.READ_REPORTS, Permission.FREEZE_GRADES),
    "course-grades": (Permission.READ_REPORTS, Permission.READ_REPORTS),
    "grade-rows": (Permission.READ_REPORTS, Permission.READ_REPORTS),
    "freeze": (Permission.FREEZE_GRADES, Permission.FREEZE_GRADES),
    "reopen": (Permission.REOPEN_GRADES, Permission.REOPEN_GRADES),
    "version": (Permission.READ_REPORTS, Permission.READ_REPORTS),
    "acknowledgements": (Permission.READ_REPORTS, Permission.FREEZE_GRADES),
    "attendance": (Permission.READ_REPORTS, Permission.READ_REPORTS),
    "course-attendance": (Permission.READ_REPORTS, Permission.READ_REPORTS),
    "files": (ANY, ANY),
    "send-file": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-template": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "file-progress": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "file-result": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "file-refused": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "file-start": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-approve": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-cancel": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-resume": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-undo": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "file-undo-preview": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "changes": (Permission.READ_ENROLLMENTS, Permission.READ_ENROLLMENTS),
    "student-keys": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekeys": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-result": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-refused": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-start": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-undo": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-undo-preview": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-cancel": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "rekey-resume": (Permission.WRITE_ENROLLMENTS, Permission.WRITE_ENROLLMENTS),
    "brand": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "sign-in": (Permission.MANAGE_SIGN_ON, Permission.MANAGE_SIGN_ON),
    "request-metadata": (Permission.MANAGE_SIGN_ON, Permission.MANAGE_SIGN_ON),
    "metadata-decision": (Permission.MANAGE_SIGN_ON, Permission.MANAGE_SIGN_ON),
    "feeds": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "feed-add": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "feed": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "feed-switch": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "feed-holidays": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "contacts": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "contact-remove": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "webhooks": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "webhook": (Permission.MANAGE_SCHOOL, Permission.MANAGE_SCHOOL),
    "people": (Permission.MANAGE_ACCESS, Permission.MANAGE_ACCESS),
    "take-access": (Permission.MANAGE_ACCESS, Permission.MANAGE_ACCESS),
    "withdraw": (Permission.MANAGE_ACCESS, Permission.MANAGE_ACCESS),
    "disclosures": (Permission.MANAGE_ACCESS, Permission.MANAGE_ACCESS),
}
"""By the name of a page: the permission for GET and the one for POST."""

OF_NOBODY = {"home", "invitation", "metadata-link", "nothing-here"}
"""Pages that name no school: everybody gets their own, or what a secret link opens."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECRETS = (
    "S-7001",
    "Secret Studies",
    "course-v1:Hidden",
    "University of Secrets",
    "uni-a",
    "seven@uni.example",
    "nightly.csv",
)


@pytest.fixture
def campus(db: None, file_storage: Path) -> Campus:
    """A school with everything that a page could show: learners, frozen grades, an invitation, a file."""
    campus = make_campus("uni-a")
    school, program, run = campus.school, campus.program, campus.course_run
    school.name = "University of Secrets"
    school.save()
    program.title = "Secret Studies"
    program.save()
    run.course_id = "course-v1:Hidden+CS1+2026"
    run.save()
    IdentityProviderFactory(school=school)
    enroll(campus, "S-7002")
    learner = LinkedLearnerFactory(school=school, student_key="S-7001", email="seven@uni.example")
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=learner)
    ProgramCourseEnrollmentFactory(program=program, course_run=run, learner=learner)
    api.freeze_grades(program=program, course_run=run, origin=ORIGIN.__class__(source="api", reason="End of term"))
    keep_file(campus, "student_key,status\nS-7001,suspended\nS-7003,enroled\n")
    keep_rekeys(campus, "S-7009,S-7010")
    manager = administrator(*Permission, campus=campus)
    manager.send("webhooks", school.key, url="https://sis.secret.example/hooks")
    plan = api.FeedPlan(program_uuid=program.uuid, kind=JobKind.PROGRAM_ENROLLMENTS, pattern="nightly.csv")
    api.add_feed(access=api.access_of(user=manager.user), school=school, plan=plan, now=timezone.now())
    manager.send("contacts", school.key, email="office@secret.example")
    manager.send("people", school.key, person="new@uni.example", bundle="viewer")
    return campus


def pages() -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if pattern.name not in OF_NOBODY]


def address(pattern: URLPattern, campus: Campus) -> str:
    values: dict[str, Any] = {
        "program": campus.program.uuid,
        "course": campus.course_run.course_id,
        "school": campus.school.key,
        "learner": Learner.objects.get(student_key="S-7001").pk,
        "version": 1,
        "draft": 1,
        "job": Job.objects.filter(program__isnull="school" in pattern.pattern.converters).earliest("pk").pk,
        "kind": "program_enrollments",
        "contact": Contact.objects.get().pk,
        "feed": Feed.objects.get().pk,
        "endpoint": WebhookEndpoint.objects.get().pk,
        "user": User.objects.order_by("pk").first().pk,  # type: ignore[union-attr]
        "invitation": Invitation.objects.get().pk,
    }
    wanted = pattern.pattern.converters
    return reverse(f"console:{pattern.name}", kwargs={name: values[name] for name in wanted})


def ask(client: Client, method: str, url: str) -> tuple[int, str]:
    response: Any = client.generic(method, url, b"", content_type="application/x-www-form-urlencoded")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, content.decode() + str(dict(response.headers))


def strangers(campus: Campus) -> Iterator[tuple[str, User]]:
    """People who have nothing to do with the campus's program."""
    yield "of another school", administrator(*Permission, campus=make_campus("uni-b")).user
    yield "staff of the host", StaffUserFactory()
    yield "without any grant", UserFactory()
    yield "a learner of the program", Learner.objects.get(student_key="S-7001").user  # type: ignore[misc]


def test_every_page_has_a_line() -> None:
    assert {str(pattern.name) for pattern in pages()} == set(TABLE)


# Who may open what is decided in Python. On each database: `test_what_is_not_visible_answers_as_what_is_not_there`.
@pytest.mark.once
def test_strangers_see_nothing_by_any_method(campus: Campus) -> None:
    for who, user in strangers(campus):
        client = Desk(user).client
        for pattern in pages():
            url = address(pattern, campus)
            for method in METHODS:
                status, shown = ask(client, method, url)
                assert status == 404, (who, pattern.name, method)
                told = shown.replace(url, "")
                assert [secret for secret in SECRETS if secret in told] == [], (who, pattern.name, method)


def test_home_and_paths_that_are_none_show_strangers_nothing(campus: Campus) -> None:
    for who, user in strangers(campus):
        client = Desk(user).client
        for url, expected in (("/console/", 200), ("/console/nowhere/", 404), ("/console/invitations/x/", 404)):
            status, shown = ask(client, "GET", url)
            assert status == expected
            assert [secret for secret in SECRETS if secret in shown] == [], who


def test_what_is_not_visible_answers_as_what_is_not_there(campus: Campus) -> None:
    nowhere = str(campus.program.uuid)[:-4] + "0000"
    client = administrator(*Permission, campus=make_campus("uni-b")).client
    for pattern in pages():
        there = address(pattern, campus)
        elsewhere = there.replace(str(campus.program.uuid), nowhere).replace("/uni-a/", "/uni-x/")
        assert client.get(there).status_code == client.get(elsewhere).status_code == 404


@pytest.mark.once
def test_who_is_not_signed_in_has_to_sign_in(campus: Campus) -> None:
    for pattern in pages():
        for method in METHODS:
            status, shown = ask(Client(), method, address(pattern, campus))
            assert status == 302, (pattern.name, method)
            assert "/accounts/sign-in/?next=/console/" in shown


def expected(permission: str, needed: str | None) -> set[int]:
    """What somebody with one permission on the school gets: the page, or what they lack."""
    return {403} if needed not in {ANY, permission} else {200, 302, 400, 404, 405}


# On each database: `test_what_somebody_may_open_works` and the tests of each page.
@pytest.mark.once
@pytest.mark.parametrize("permission", Permission.values)
def test_each_permission_opens_its_pages_and_no_other(campus: Campus, permission: str) -> None:
    client = administrator(Permission(permission), campus=campus).client
    for pattern in pages():
        url = address(pattern, campus)
        reads, writes = TABLE[str(pattern.name)]
        for method, needed in (("GET", reads), ("POST", writes)):
            status, shown = ask(client, method, url)
            assert status in expected(permission, needed), (pattern.name, method)
            if status == 403:
                assert "You lack the permission to" in shown


def test_what_somebody_may_open_works(campus: Campus) -> None:
    """With every permission no page is refused; some of them only lead elsewhere if they are merely looked at."""
    users: dict[str, User] = {
        "registrar": administrator(*Permission, campus=campus).user,
        "for all schools": act_for_all_schools(UserFactory()),
        "superuser": SuperuserFactory(),
    }
    leading_elsewhere = {
        "status",
        "course-status",
        "freeze",
        "reopen",
        "take-access",
        "withdraw",
        "metadata-decision",
        "keep",
        "course-keep",
        "file-progress",
        "file-start",
        "file-approve",
        "file-cancel",
        "file-resume",
        "rekey-start",
        "rekey-cancel",
        "rekey-resume",
        "rekey-undo",
        "rekey-undo-preview",
        "file-undo",
        "file-undo-preview",
        "webhook",
        "feed-switch",
        "contact-remove",
        "feed-holidays",
    }
    for who, user in users.items():
        client = Desk(user).client
        for pattern in pages():
            status, _shown = ask(client, "GET", address(pattern, campus))
            assert status == (302 if pattern.name in leading_elsewhere else 200), (who, pattern.name)


def test_grants_on_one_program_open_neither_another_nor_the_school(campus: Campus) -> None:
    other = ProgramFactory(school=campus.school, title="Public Studies")
    desk = administrator(*PROGRAM_PERMISSIONS, campus=Campus(campus.curriculum, campus.course_run), everywhere=False)

    assert desk.open("learners", campus.program.uuid).status == 200
    assert desk.open("learners", other.uuid).status == 404
    for name in ("brand", "sign-in", "people", "disclosures", "student-keys", "rekeys"):
        assert desk.open(name, campus.school.key).status == 403


def test_links_lead_only_where_somebody_may_go(campus: Campus) -> None:
    desks: dict[str, Desk] = {permission.value: administrator(permission, campus=campus) for permission in Permission}
    everything = administrator(*PROGRAM_PERMISSIONS, campus=campus, everywhere=False)
    for permission, desk in {**desks, "one program": everything}.items():
        for link in (*desk.open("home").links(), *desk.open("courses", campus.program.uuid).links()):
            assert desk.client.get(link).status_code == 200, (permission, link)


def test_a_lost_grant_counts_at_once(campus: Campus) -> None:
    desk = administrator(*Permission, campus=campus)
    assert desk.open("learners", campus.program.uuid).status == 200

    desk.user.university_grants.exclude(permission__in=SCHOOL_PERMISSIONS).delete()

    assert desk.open("learners", campus.program.uuid).status == 403


def test_a_file_is_found_under_its_own_program_alone(campus: Campus) -> None:
    other, job = ProgramFactory(school=campus.school), Job.objects.get(program__isnull=False)
    desk = administrator(*Permission, campus=campus)
    elsewhere = make_campus("uni-b")
    for permission in Permission:
        GrantFactory(user=desk.user, school=elsewhere.school, permission=permission.value)
    for pattern in pages():
        if "job" in pattern.pattern.converters:
            url = address(pattern, campus).replace(str(campus.program.uuid), str(other.uuid))
            url = url.replace(f"/{campus.school.key}/", f"/{elsewhere.school.key}/")
            for method in METHODS:
                assert ask(desk.client, method, url)[0] == 404, (pattern.name, method)
    reader = administrator(Permission.READ_REPORTS, campus=campus)
    assert reader.open("file", other.uuid, job.pk).status == 404


def test_who_sent_a_file_may_look_at_it_without_reading_the_others(campus: Campus) -> None:
    editor = administrator(Permission.WRITE_ENROLLMENTS, campus=campus)
    own = keep_file(campus, "student_key,status\nS-7009,enrolled\n", user_id=editor.user.pk)
    others = Job.objects.exclude(pk=own.pk).get(program__isnull=False)

    assert editor.open("file", campus.program.uuid, own.pk).status == 200
    assert editor.open("file", campus.program.uuid, others.pk).status == 403
    assert len(editor.open("files", campus.program.uuid).rows()) == 2, "the own one, and the school's re-key"
    assert len(administrator(*Permission, campus=campus).open("files", campus.program.uuid).rows()) > 1
