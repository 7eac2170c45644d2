"""My data: what each university has sent about the person, and how the account was linked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.dashboard.base import DashboardPage
from program_enrollments.dashboard.wording import tell_link
from program_enrollments.data import CourseStatus, ProgramStatus


class OwnDataPage(DashboardPage):
    """Nothing here can be changed: it is the university's."""

    section = "own-data"
    template_name = "program_enrollments/dashboard/own_data.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        data = api.fetch_own_data(user=request.user, now=timezone.now())
        self.dress([learner.school for learner in data.learners])
        learners = [
            {
                "learner": learner,
                "how": tell_link(learner),
                "programs": [
                    {
                        "program": program,
                        "status": ProgramStatus(program.status).label,
                        "courses": [
                            (course, CourseStatus(course.status).label) for course in program.courses if course.status
                        ],
                    }
                    for program in learner.programs
                ],
            }
            for learner in data.learners
        ]
        return self.show({"learners": learners, "keep_account_url": data.keep_account_url})
