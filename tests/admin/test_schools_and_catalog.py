"""Schools, the catalog and grants are edited as usual; what enrollments refer to stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from program_enrollments.models import (
    CourseRun,
    Curriculum,
    CurriculumCourseRun,
    Grant,
    IdentityProvider,
    Program,
    School,
    SchoolEmailDomain,
)
from tests.admin.conftest import Desk, Page, url_of
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    GrantFactory,
    LearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramFactory,
    SchoolFactory,
)
from tests.factories.host import UserFactory


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    fields = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": str(initial)}
    for number, row in enumerate(rows):
        fields |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return fields


def add_school(desk: Desk, **data: Any) -> Page:
    domains = data.pop("domains", ())
    providers = data.pop("providers", ())
    grants = data.pop("grants", ())
    return desk.post(
        url_of(School, "add"),
        **{
            "key": "uni-c",
            "name": "University C",
            "guard_minimum": "10",
            "guard_percent": "20",
            **formset("email_domains", *({"domain": domain} for domain in domains)),
            **formset("identity_providers", *({"slug": slug, "is_enabled": "on"} for slug in providers)),
            **formset("grants", *grants),
            **data,
        },
    )


def test_a_school_is_added_with_all_it_needs_on_one_page(desk: Desk) -> None:
    client = UserFactory()

    page = add_school(
        desk,
        primary_color="#1A4B8C",
        text_color="#ffffff",
        domains=["Uni-C.example", "@mail.uni-c.example"],
        providers=["uni-c-2026"],
        grants=[{"user": client.pk, "permission": "metadata"}, {"user": client.pk, "permission": "read_enrollments"}],
    )

    assert page.errors() == []
    school = School.objects.get()
    assert (school.key, school.primary_color) == ("uni-c", "#1a4b8c")
    domains = SchoolEmailDomain.objects.values_list("domain_normalized", flat=True)
    assert set(domains) == {"uni-c.example", "mail.uni-c.example"}
    assert IdentityProvider.objects.get().slug == "uni-c-2026"
    assert Grant.objects.filter(user=client, school=school).count() == 2


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"primary_color": "blue"}, "Write a color as #rrggbb, such as #1a4b8c."),
        ({"text_color": "#12345g"}, "Write a color as #rrggbb, such as #1a4b8c."),
        (
            {"primary_color": "#ffffff", "text_color": "#eeeeee"},
            "Text in this color is hard to read on the primary color. Choose a lighter or a darker one.",
        ),
        ({"domains": ["uni.example", "UNI.example"]}, "This domain is listed already."),
        ({"domains": ["not a domain"]}, "Enter a valid domain name."),
        ({"domains": ["@"]}, "Enter a valid domain name."),
        ({"providers": ["uni:c"]}, "A slug cannot have a colon: the first colon of a uid ends it."),
        (
            {"providers": ["renamed here/with spaces"]},
            "Use letters, digits, “.”, “_”, “~” and “-” only, and begin with a letter",
        ),
        ({"key": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_with_a_school_is_said_at_the_field(data: dict[str, Any], error: str, desk: Desk) -> None:
    assert any(shown.startswith(error) for shown in add_school(desk, **data).errors())
    assert not School.objects.exists()


def test_the_slug_of_a_provider_stays(desk: Desk) -> None:
    """It stands in the uid of everybody who signed on through it."""
    add_school(desk, providers=["uni-c-2026"])
    school, provider = School.objects.get(), IdentityProvider.objects.get()
    row = {"id": provider.pk, "school": school.pk, "slug": "renamed", "name": "New name", "is_enabled": "on"}

    page = desk.post(
        url_of(School, "change", school.pk),
        **{
            "key": "uni-c",
            "name": "University C",
            "guard_minimum": "10",
            "guard_percent": "20",
            **formset("email_domains"),
            **formset("identity_providers", row, initial=1),
            **formset("grants"),
        },
    )

    assert page.errors() == []
    provider.refresh_from_db()
    assert (provider.slug, provider.name) == ("uni-c-2026", "New name")


def test_a_school_with_learners_neither_becomes_a_sandbox_nor_stops_being_one(desk: Desk) -> None:
    def change(school: School, **data: Any) -> list[str]:
        names = {"key": school.key, "name": school.name, "guard_minimum": "10", "guard_percent": "20"}
        empty = formset("email_domains") | formset("identity_providers") | formset("grants")
        return desk.post(url_of(School, "change", school.pk), **names, **empty, **data).errors()

    school = SchoolFactory()
    assert change(school, is_sandbox="on") == []
    school.refresh_from_db()
    assert school.is_sandbox

    LearnerFactory(school=school)
    (refused,) = change(school)
    assert "Only a school without any can become one for practice, or stop being one." in refused
    assert change(school, is_sandbox="on") == []
    school.refresh_from_db()
    assert school.is_sandbox


def test_a_school_that_has_anything_cannot_be_deleted(desk: Desk) -> None:
    empty, used = SchoolFactory(), LearnerFactory().school

    assert desk.post(url_of(School, "delete", used.pk), post="yes").status == 403
    assert desk.post(url_of(School, "delete", empty.pk), post="yes").status == 200
    assert list(School.objects.all()) == [used]


def test_programs_are_found_by_title_key_and_uuid(desk: Desk) -> None:
    program = ProgramFactory(title="Master's in Physics", key="phys-ma")
    ProgramFactory(title="Master's in History", key="hist-ma")

    for text in ("physics", "PHYS-", str(program.uuid), program.uuid.hex.upper()):
        (row,) = desk.get(url_of(Program), q=text).rows()
        assert "Physics" in row


def test_a_new_program_is_offered_a_uuid(desk: Desk) -> None:
    (field,) = desk.get(url_of(Program, "add")).tree.xpath('//input[@name="uuid"]')

    assert UUID(field.get("value")).version == 4


def test_a_program_with_enrollments_stays_with_its_school_and_is_kept(desk: Desk) -> None:
    used = PreemptiveProgramEnrollmentFactory().program
    free = ProgramFactory()

    def offers_school(program: Program) -> bool:
        return bool(desk.get(url_of(Program, "change", program.pk)).tree.xpath('//select[@name="school"]'))

    assert (offers_school(used), offers_school(free)) == (False, True)
    assert desk.post(url_of(Program, "delete", used.pk), post="yes").status == 403
    assert desk.post(url_of(Program, "delete", free.pk), post="yes").status == 200
    assert list(Program.objects.all()) == [used]


def test_a_curriculum_with_enrollments_is_kept(desk: Desk) -> None:
    used = PreemptiveProgramEnrollmentFactory().curriculum
    free = CurriculumFactory()

    assert desk.post(url_of(Curriculum, "delete", used.pk), post="yes").status == 403
    assert desk.post(url_of(Curriculum, "delete", free.pk), post="yes").status == 200
    assert list(Curriculum.objects.all()) == [used]


def test_a_course_run_leaves_a_curriculum_only_while_nobody_is_in_it(desk: Desk) -> None:
    curriculum = CurriculumFactory()
    used, free = (CourseRunFactory(curricula=[curriculum]) for _ in range(2))
    PreemptiveCourseEnrollmentFactory(program=curriculum.program, course_run=used)

    def take_out(course_run: CourseRun) -> Page:
        link = CurriculumCourseRun.objects.get(curriculum=curriculum, course_run=course_run)
        row = {"id": link.pk, "curriculum": curriculum.pk, "course_run": course_run.pk, "DELETE": "on"}
        return desk.post(
            url_of(Curriculum, "change", curriculum.pk),
            uuid=str(curriculum.uuid),
            name=curriculum.name,
            **formset("curriculumcourserun_set", row, initial=1),
        )

    assert take_out(used).errors() == [
        f"{used.course_id} has enrollments through this program, so it cannot be taken out of it."
    ]
    assert take_out(free).errors() == []
    assert list(curriculum.course_runs.all()) == [used]


def test_a_course_run_with_enrollments_keeps_its_key_and_is_kept(desk: Desk) -> None:
    curriculum = CurriculumFactory()
    used, free = CourseRunFactory(curricula=[curriculum]), CourseRunFactory()
    PreemptiveCourseEnrollmentFactory(program=curriculum.program, course_run=used)

    def offers_key(course_run: CourseRun) -> bool:
        return bool(desk.get(url_of(CourseRun, "change", course_run.pk)).tree.xpath('//input[@name="course_id"]'))

    assert (offers_key(used), offers_key(free)) == (False, True)
    assert desk.post(url_of(CourseRun, "delete", used.pk), post="yes").status == 403
    assert desk.post(url_of(CourseRun, "delete", free.pk), post="yes").status == 200


@pytest.mark.parametrize("model", [School, Program, Curriculum, CourseRun], ids=lambda model: model.__name__)
def test_nothing_of_the_catalog_is_deleted_in_bulk(model: type, desk: Desk) -> None:
    CurriculumFactory()

    assert "delete_selected" not in desk.get(url_of(model)).text


def test_a_grant_is_on_a_school_or_on_a_program(desk: Desk) -> None:
    program = ProgramFactory()
    user = UserFactory()

    def add(**data: Any) -> list[str]:
        return desk.post(url_of(Grant, "add"), user=user.pk, permission="metadata", **data).errors()

    assert add() == ["Choose a school, or one program of it."]
    assert add(school=program.school.pk, program=program.pk) == [
        "Choose the school or the program, not both: a grant on the school already covers the program."
    ]
    assert not Grant.objects.exists()
    assert add(school=program.school.pk) == []
    assert add(program=program.pk) == []
    assert add(program=program.pk) == ["Grant with this User, Program and Permission already exists."]
    assert Grant.objects.count() == 2


def test_grants_are_found_by_user_school_and_program(desk: Desk) -> None:
    grant = GrantFactory(user__username="uni-a-sis", school__name="University A", school__key="key-a")
    program = ProgramFactory(title="Master's in Physics")
    GrantFactory(school=None, program=program)

    for text in ("uni-a-sis", "sity a", "key-a"):
        (row,) = desk.get(url_of(Grant), q=text).rows()
        assert grant.user.username in row
    (row,) = desk.get(url_of(Grant), q="physics").rows()
    assert "Physics" in row
