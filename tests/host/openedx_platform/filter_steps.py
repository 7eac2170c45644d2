"""Steps of Open edX filters, as an operator installs them."""

from django.contrib.auth.models import User
from openedx_filters import PipelineStep
from openedx_filters.learning.filters import CourseEnrollmentStarted, CourseUnenrollmentStarted


class FeesAreOpen(PipelineStep):
    """Keeps out whoever has not paid."""

    def run_filter(self, user, course_key, mode):
        if user.profile.name == "Debtor":
            raise CourseEnrollmentStarted.PreventEnrollment("Fees of the semester\nare open.")
        return {}


class RefusesWithoutAWord(PipelineStep):
    def run_filter(self, user, course_key, mode):
        raise CourseEnrollmentStarted.PreventEnrollment("")


class ThesisIsOpen(PipelineStep):
    """Keeps everybody in."""

    def run_filter(self, enrollment):
        raise CourseUnenrollmentStarted.PreventUnenrollment("The thesis is not handed in.")


class AuditFirst(PipelineStep):
    """Lets everybody in, in another mode."""

    def run_filter(self, user, course_key, mode):
        return {"user": user, "course_key": course_key, "mode": "audit"}


class SomebodyElse(PipelineStep):
    def run_filter(self, user, course_key, mode):
        return {"user": User.objects.exclude(pk=user.pk).earliest("pk"), "course_key": course_key, "mode": mode}
