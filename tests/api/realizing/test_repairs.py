"""What a deletion that no signal saw left behind, or an older version: the sweep finds and mends it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from demo_lms.models import CourseEnrollment, CourseRun
from program_enrollments import api
from program_enrollments.data import ChangeKind
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import World
from tests.factories.enrollment import PreemptiveCourseEnrollmentFactory, PreemptiveProgramEnrollmentFactory
from tests.invariants import find_violations


@pytest.fixture
def ann(world: World) -> User:
    world.write_program(("A", "enrolled"))
    world.write_course(("A", "active"))
    return world.sign_on("A")


def delete_in_raw_sql(user: User) -> None:
    """Delete an account as a script would that knows nothing of this app but its foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE university_enrollments_learner SET user_id = NULL, link_how = '' WHERE user_id = %s", [user.pk]
        )
        for table in ("social_auth_usersocialauth", "demo_lms_courseenrollment"):
            cursor.execute(f"DELETE FROM {table} WHERE user_id = %s", [user.pk])
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [user.pk])


def test_real_enrollments_without_an_account_wait_again(world: World, ann: User) -> None:
    delete_in_raw_sql(ann)
    assert find_violations() != []

    dry = api.sweep(dry_run=True)
    assert (dry.mended.without_account, ProgramEnrollment.objects.count()) == (1, 1)
    report = api.sweep()

    assert report.mended.without_account == 1
    assert PreemptiveProgramEnrollment.objects.get().status == "enrolled"
    assert PreemptiveCourseEnrollment.objects.get().status == "active"
    assert set(LedgerEntry.objects.filter(source="sweep").values_list("kind", "reason")) == {
        (ChangeKind.PROGRAM_PROMISED, "mended"),
        (ChangeKind.COURSE_PROMISED, "mended"),
    }
    world.sign_on("A")
    assert ProgramCourseEnrollment.objects.get().status == "active"
    assert api.sweep().mended == type(report.mended)()


def test_what_the_school_wrote_since_stands(world: World, ann: User) -> None:
    delete_in_raw_sql(ann)
    world.write_program(("A", "pending"))
    world.write_course(("A", "inactive"))

    api.sweep()

    assert PreemptiveProgramEnrollment.objects.get().status == "pending"
    assert PreemptiveCourseEnrollment.objects.get().status == "inactive"
    assert not ProgramEnrollment.objects.exists()
    assert not ProgramCourseEnrollment.objects.exists()


def test_promises_beside_the_real_enrollment_go(world: World, ann: User) -> None:
    learner = Learner.objects.get()
    PreemptiveProgramEnrollmentFactory(curriculum=world.curriculum, learner=learner, status="pending")
    PreemptiveCourseEnrollmentFactory(program=world.program, course_run=world.course_run, learner=learner)

    report = api.sweep()

    assert (report.mended.doubled, report.is_clean) == (1, True)
    assert not PreemptiveProgramEnrollment.objects.exists()
    assert not PreemptiveCourseEnrollment.objects.exists()
    assert ProgramEnrollment.objects.get().status == "enrolled"
    dropped = LedgerEntry.objects.filter(source="sweep", after=None).values_list("kind", "before")
    assert set(dropped) == {(ChangeKind.PROGRAM_ENROLLMENT, "pending"), (ChangeKind.COURSE_ENROLLMENT, "active")}


def test_an_active_enrollment_without_a_seat_gets_it(world: World, ann: User) -> None:
    CourseEnrollment.objects.all().delete()

    out = StringIO()
    call_command("sweep_enrollments", stdout=out)

    assert CourseEnrollment.objects.get().user == ann
    assert "enrollments without a seat 1" in out.getvalue()


def test_a_seat_that_somebody_made_inactive_stays_so(world: World, ann: User) -> None:
    """The learner may have left the course, or the platform's staff taken them out: the school's next write decides."""
    CourseEnrollment.objects.update(is_active=False)
    assert api.sweep().mended.seats == 0
    assert not CourseEnrollment.objects.get().is_active


def test_a_seat_that_the_platform_refuses_is_reported(world: World, ann: User) -> None:
    CourseEnrollment.objects.all().delete()
    CourseRun.objects.update(enrollment_closed=True)
    report = api.sweep()
    assert (report.mended.failures, report.is_clean) == (1, False)
