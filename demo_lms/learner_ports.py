"""The optional ports of the demo LMS's adapter: what it knows of one learner, for the learner's own pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from demo_lms.models import Assignment, CourseEnrollment, CourseGrade, DailyActivity
from demo_lms.models.primary import rows_of
from program_enrollments.data import DueDate, Grade


class DemoProgress:
    """`ProgressPort`."""

    def fetch_progress(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, float]:
        """Return the share of units done in each course run that the learner has opened."""
        rows = (
            rows_of(DailyActivity)
            .filter(user=user_id, course_run__in=course_ids)
            .values_list("course_run_id", "course_run__units")
            .annotate(done=Max("units_done"))
        )
        return {course_id: min(1.0, done / units) for course_id, units, done in rows}


class DemoLearnerGrades:
    """`LearnerGradePort`."""

    def fetch_learner_grades(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, Grade]:
        """Return the grades whose grading is finished."""
        rows = rows_of(CourseGrade).filter(user=user_id, course_run__in=course_ids, percent__isnull=False)
        return {
            course_id: Grade(letter_grade=letter or None, percent=float(percent or 0), passed=passed)
            for course_id, letter, percent, passed in rows.values_list("course_run_id", "letter", "percent", "passed")
        }


class DemoResumeLinks:
    """`ResumeLinkPort`."""

    def fetch_resume_links(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return the page of each course run that the learner is in."""
        rows = rows_of(CourseEnrollment).filter(user=user_id, course_run__in=course_ids, is_active=True)
        return {
            course_id: reverse("course", args=[course_id]) for course_id in rows.values_list("course_run", flat=True)
        }


class DemoDueDates:
    """`DueDatePort`."""

    def fetch_due_dates(self, *, user_id: int, course_ids: Collection[str], after: datetime) -> Mapping[str, DueDate]:
        """Return the next assignment of each course run; all learners of a course run have the same ones."""
        rows = rows_of(Assignment).filter(course_run__in=course_ids, due__gt=after).order_by("-due")
        return {
            course_id: DueDate(title, due) for course_id, title, due in rows.values_list("course_run", "title", "due")
        }


class DemoCertificates:
    """`CertificatePort`."""

    def fetch_certificates(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return the certificates: there is one for each course run that is over, and that the learner passed."""
        rows = rows_of(CourseGrade).filter(
            user=user_id, course_run__in=course_ids, passed=True, course_run__end__lte=timezone.now()
        )
        return {
            course_id: reverse("certificate", args=[course_id])
            for course_id in rows.values_list("course_run", flat=True)
        }


class DemoKeepAccount:
    """`KeepAccountPort`."""

    def keep_account_url(self, *, user_id: int) -> str:
        """Return the page that takes a password, for an account without one."""
        user = get_user_model()._default_manager.filter(pk=user_id).first()
        return reverse("keep_account") if user is not None and not user.has_usable_password() else ""
