from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from demo_lms.demo_data import is_seeded, seed
from demo_lms.demo_data.catalog import CS101, point_links_at
from demo_lms.demo_data.people import COHORTS
from demo_lms.models import CourseAccessRole, CourseEnrollment, CourseGrade, DailyActivity
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    Grant,
    Job,
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

pytestmark = pytest.mark.once


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, as it is stored."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


@pytest.mark.usefixtures("own_storage")
@pytest.mark.django_db(transaction=True)
def test_seeding_again_changes_nothing() -> None:
    seed(base_url="http://testserver", now=timezone.now())
    before = all_rows()
    assert sum(map(len, before.values())) > 200

    seed(base_url="http://testserver", now=timezone.now() + timedelta(days=3))
    call_command("seed_demo", verbosity=0)

    assert all_rows() == before


@pytest.mark.usefixtures("own_storage")
@pytest.mark.django_db
def test_shows_when_it_is_done() -> None:
    assert not is_seeded()
    seed(base_url="http://testserver", now=timezone.now())
    assert is_seeded()


@pytest.mark.django_db
@pytest.mark.usefixtures("seeded")
class TestWhatIsMade:
    def test_every_university_has_two_programs_and_one_or_two_curricula(self) -> None:
        assert sorted(Program.objects.values_list("school__key", "key")) == [
            ("uni-a", "uni-a-mcs"),
            ("uni-a", "uni-a-mds"),
            ("uni-a-sandbox", "uni-a-mcs"),
            ("uni-a-sandbox", "uni-a-mds"),
            ("uni-b", "uni-b-mba"),
            ("uni-b", "uni-b-mph"),
        ]
        real = Program.objects.filter(school__is_sandbox=False).order_by("key")
        active = [program.curricula.filter(is_active=True).count() for program in real]
        assert active == [1, 2, 1, 2]
        assert set(Curriculum.objects.values_list("is_active", flat=True)) == {True}

    def test_the_catalog_and_the_lms_know_the_same_course_runs(self) -> None:
        assert set(CourseRun.objects.values_list("course_id", "title")) == set(
            HostCourseRun.objects.values_list("course_id", "title")
        )
        shared = CourseRun.objects.get(course_id=CS101.course_id)
        programs = Program.objects.filter(curricula__course_runs=shared, school__is_sandbox=False)
        assert programs.distinct().count() == 2

    def test_clients_may_do_everything_at_their_school_and_nothing_elsewhere(self) -> None:
        grants = Grant.objects.filter(user__username__endswith="-sis")
        assert set(grants.values_list("user__username", "school__key", "permission")) == {
            (f"{school}-sis", school, permission)
            for school in ("uni-a", "uni-a-sandbox", "uni-b")
            for permission in PROGRAM_PERMISSIONS
        }
        administrators = Grant.objects.exclude(user__username__endswith="-sis")
        assert set(administrators.values_list("user__username", "school__key", "permission")) == {
            (username, school, permission)
            for username, school in (("avery", "uni-a"), ("blair", "uni-b"))
            for permission in Permission
        }
        assert list(
            User.objects.filter(user_permissions__codename="act_for_all_schools").values_list("username", flat=True)
        ) == ["registrar"]
        assert list(User.objects.filter(is_staff=True).values_list("username", "is_superuser")) == [("admin", True)]

    def test_some_learners_have_signed_in_and_some_wait(self) -> None:
        linked = Learner.objects.filter(user__isnull=False)
        assert {learner.display_key: learner.user.username for learner in linked if learner.user} == {
            "A-1001": "alex",
            "A-1002": "billie",
            "A-1003": "charlie",
            "A-1004": "dana",
            "B-2001": "emery",
        }
        assert not ProgramEnrollment.objects.exclude(learner__in=linked).exists()
        assert ProgramEnrollment.objects.count() == 6
        waiting = set(PreemptiveProgramEnrollment.objects.values_list("learner__student_key", "learner__email"))
        with_provider = {("student1", ""), ("student2", ""), ("", "student3@uni-a.example")}
        others = {("A-1005", ""), ("A-1006", ""), ("", "robin@uni-a.example"), ("B-2002", ""), ("A-1001", "")}
        cohorts = {(one.student_key, "") for one in COHORTS}
        assert waiting == with_provider | others | cohorts
        assert not PreemptiveCourseEnrollment.objects.filter(learner__in=linked).exists()
        assert not Learner.objects.exclude(problem_code="").exists()

    def test_a_file_waits_for_a_decision(self) -> None:
        job = Job.objects.get(program__key="uni-a-mds")
        assert (job.state, job.created_by, Job.objects.count()) == ("held", "uni-a-sis", 1)
        assert job.rows.filter(word="left").count() == job.removals > 20

    def test_the_lms_agrees_with_the_enrollments(self) -> None:
        seats = {
            (seat.user_id, seat.course_run_id): (seat.mode, seat.is_active) for seat in CourseEnrollment.objects.all()
        }
        paid = seats.pop((User.objects.get(username="charlie").pk, CS101.course_id))
        assert paid == ("verified", True), "a seat that was paid for is left as it is"
        ours = ProgramCourseEnrollment.objects.filter(status="active").exclude(learner__user__username="charlie")
        assert {key for key, seat in seats.items() if seat == ("masters", True)} == set(
            ours.values_list("learner__user", "course_run__course_id")
        )
        assert CourseAccessRole.objects.values_list("user__username", "course_run").get() == ("billie", CS101.course_id)

    def test_there_are_grades_and_activity_to_report(self) -> None:
        assert CourseGrade.objects.filter(percent__isnull=True).count() == 1
        assert CourseGrade.objects.filter(passed=True).count() == 2
        assert CourseGrade.objects.filter(passed=False, percent__isnull=False).count() == 1
        days = DailyActivity.objects.filter(user__username="alex", course_run=CS101.course_id).values_list(
            "day", flat=True
        )
        assert len(days) == 28
        assert max(days) < timezone.now().date()

    def test_links_follow_the_address_of_the_site(self) -> None:
        before = all_rows()
        point_links_at(base_url="http://testserver")
        assert all_rows() == before

        point_links_at(base_url="http://127.0.0.1:9000")

        run = CourseRun.objects.get(course_id=CS101.course_id)
        assert run.url == "http://127.0.0.1:9000/courses/course-v1:UniA+CS101+2026/"
        assert set(Program.objects.values_list("url", flat=True)) == {"http://127.0.0.1:9000/dashboard/"}
