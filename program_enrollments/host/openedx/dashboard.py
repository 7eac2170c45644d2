"""The optional ports for a learner's dashboard that cost no statement per course run.

Progress and due dates are not offered: the platform computes them from a tree of blocks for one learner and course run
at a time, which takes seconds on a page with many courses (ADR 0024).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from program_enrollments.data import Grade
from program_enrollments.host.openedx.learning import is_completion_installed, to_grade
from program_enrollments.host.openedx.platform import get_model, parse_course_keys

HOME_URL = "openedx.features.course_experience.url_helpers.get_learning_mfe_home_url"
DOWNLOADABLE = "downloadable"


class OpenEdxLearnerGrades:
    """The grades that the platform has stored, as in `OpenEdxGrades`."""

    def fetch_learner_grades(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, Grade]:
        """Return the stored grade of each course run, in one statement."""
        keys = parse_course_keys(course_ids)
        if not keys:
            return {}
        rows = get_model("grades.PersistentCourseGrade").objects.filter(
            user_id=user_id, course_id__in=list(keys.values())
        )
        found = rows.values_list("course_id", "letter_grade", "percent_grade")
        return {str(key): to_grade(letter, percent) for key, letter, percent in found if str(key) in keys}


class OpenEdxResumeLinks:
    """The block that was completed last, else the home page of the run in the learning micro-frontend."""

    def fetch_resume_links(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return a link for each begun run with an active seat of the user, in two statements."""
        keys = parse_course_keys(course_ids)
        if not keys:
            return {}
        open_runs = Q(course__start=None) | Q(course__start__lte=timezone.now())
        seats = get_model("student.CourseEnrollment").objects.filter(
            open_runs, user_id=user_id, course__in=list(keys.values()), is_active=True
        )
        runs = {str(key): key for key in seats.values_list("course_id", flat=True) if str(key) in keys}
        last = _last_completed(user_id, list(keys.values()))
        get_home_url = import_string(HOME_URL)
        return {
            course_id: reverse("jump_to", kwargs={"course_id": course_id, "location": str(last[course_id])})
            if course_id in last
            else get_home_url(key, url_fragment="home")
            for course_id, key in runs.items()
        }


def _last_completed(user_id: int, keys: Collection[Any]) -> dict[str, Any]:
    """Return the block that the user completed last in each course run."""
    if not is_completion_installed():
        return {}
    rows = get_model("completion.BlockCompletion").objects.filter(
        user_id=user_id, context_key__in=keys, completion__gt=0
    )
    found = rows.order_by("modified").values_list("context_key", "block_key")
    return {str(key): block.map_into_course(key) for key, block in found}


class OpenEdxCertificates:
    """Certificates that can be downloaded.

    In runs with instructors they are shown once the run has ended: whether a course shows them earlier depends on
    settings of the course that change from release to release.
    """

    def fetch_certificates(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        """Return the page of each certificate, in two statements."""
        keys = parse_course_keys(course_ids)
        if not keys:
            return {}
        rows = get_model("certificates.GeneratedCertificate").objects.filter(
            user_id=user_id, course_id__in=list(keys.values()), status=DOWNLOADABLE
        )
        earned = {str(key): number for key, number in rows.values_list("course_id", "verify_uuid") if number}
        over = Q(self_paced=True) | Q(end__lte=timezone.now())
        overviews = get_model("course_overviews.CourseOverview").objects.filter(over, id__in=list(keys.values()))
        shown = {str(key) for key in overviews.values_list("id", flat=True)}
        return {
            course_id: reverse("certificates:render_cert_by_uuid", kwargs={"certificate_uuid": number})
            for course_id, number in earned.items()
            if course_id in shown and course_id in keys
        }


class OpenEdxKeepAccount:
    """The account page of the platform, where learners add a recovery address and set a password.

    Every account of the platform has a password, which nobody knows if the university opened the account. So an account
    can do without the university if it has a confirmed recovery address, or never signed on through one.
    """

    def keep_account_url(self, *, user_id: int) -> str:
        """Return the account page for an account that only the university opens, in one statement."""
        users = get_model("auth.User").objects.filter(pk=user_id, social_auth__isnull=False)
        if not users.exclude(account_recovery__is_active=True).exists():
            return ""
        return str(getattr(settings, "ACCOUNT_MICROFRONTEND_URL", "") or "")
