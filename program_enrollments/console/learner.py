"""One learner of a program: in a sentence, what to do, and everything that happened."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.console import wording
from program_enrollments.console.base import ProgramPage, Seen
from program_enrollments.console.keeping import KeepForm
from program_enrollments.data import CourseStatus, LinkHow, Permission, ProgramStatus

LAST_CHANGES = 50


class Learner(ProgramPage):
    """A learner of the program."""

    section = "learners"
    reads_with = Permission.READ_ENROLLMENTS
    template_name = "program_enrollments/console/learner.html"

    def get(self, request: HttpRequest, learner: int, **kwargs: Any) -> HttpResponse:
        found = api.get_learner(program=self.program, learner_id=learner, last_changes=LAST_CHANGES)
        self.seen = Seen("learner", 1, learner_id=learner)
        story = wording.tell_learner(found, is_practice=self.program.school.is_sandbox)
        how = found["link"]["how"]
        return self.show(
            {
                "learner": found,
                "story": story,
                "message": self.write_message() if story.is_to_be_written_to else "",
                "link_how": LinkHow(how).label if how else "",
                "status": wording.status_label((found["program_enrollment"] or {}).get("status")),
                "tone": wording.STATUS_TONES.get((found["program_enrollment"] or {}).get("status", ""), ""),
                "courses": [_show_course(course) for course in found["course_enrollments"]],
                "changes": [_show_change(change) for change in found["changes"]],
                "keep_form": KeepForm(),
                "kept_places": _kept_places(found),
                "statuses": ProgramStatus.choices,
                "course_statuses": CourseStatus.choices,
                "can_write": Permission.WRITE_ENROLLMENTS in self.permissions,
            }
        )

    def write_message(self) -> str:
        """Return a message to the student, with the school's sign-in address."""
        return _(
            "Hello,\n\nyou are enrolled in %(program)s at %(school)s. Sign in here with your university account:\n"
            "%(url)s\n\nYour courses are there as soon as you have signed in."
        ) % {"program": self.program.title, "school": self.program.school.name, "url": self.sign_in_url()}

    def sign_in_url(self) -> str:
        """Return where the school's students sign in: the school's own page, or else the platform's."""
        try:
            path = reverse("sign_on:school", args=[self.program.school.key])
        except NoReverseMatch:
            path = resolve_url(settings.LOGIN_URL)
        return self.request.build_absolute_uri(path)


def _kept_places(learner: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the learner's kept places; the one in the program has "" as its course."""
    kept = [{"course_id": "", "keep": (learner["program_enrollment"] or {}).get("keep")}]
    kept += [{"course_id": one["course_id"], "keep": one["keep"]} for one in learner["course_enrollments"]]
    return [one for one in kept if one["keep"]]


def _show_course(course: dict[str, Any]) -> dict[str, Any]:
    return {
        **course,
        "status_label": wording.status_label(course["status"]),
        "tone": wording.STATUS_TONES.get(course["status"], ""),
        "seat": wording.host_seat(course),
    }


def _show_change(change: dict[str, Any]) -> dict[str, Any]:
    return {
        **change,
        "label": wording.change_label(change["kind"]),
        "steps": wording.change_steps(change),
        "origin": wording.change_origin(change),
    }
