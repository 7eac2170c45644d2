"""My programs: a card per program, or straight to the only one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from program_enrollments import api
from program_enrollments.dashboard.base import DashboardPage
from program_enrollments.dashboard.wording import card_of, tell_notices, tell_refusals


def describe_dashboard(dashboard: api.Dashboard) -> dict[str, Any]:
    """Return what the template of the cards needs."""
    cards = [card_of(program) for program in dashboard.programs]
    return {
        "cards": cards,
        "notices": [
            *tell_notices(dashboard.notices),
            *(words for program in dashboard.programs for words in tell_refusals(program)),
        ],
        "has_schools": len(dashboard.schools) > 1,
        "keep_account_url": dashboard.keep_account_url if has_ended(dashboard) else "",
        "is_partial": dashboard.is_partial,
        "schools": dashboard.schools,
    }


def has_ended(dashboard: api.Dashboard) -> bool:
    """Return whether a program has ended: the university may close the learner's identity soon."""
    return any(program.is_over for program in dashboard.programs)


class AllPrograms(DashboardPage):
    """All programs, and what else the person has to know."""

    section = "programs"
    template_name = "program_enrollments/dashboard/home.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.answer(api.fetch_dashboard(user=request.user, now=timezone.now()))

    def answer(self, dashboard: api.Dashboard) -> HttpResponse:
        """Show the cards."""
        self.dress(dashboard.schools)
        return self.show(describe_dashboard(dashboard))


class Home(AllPrograms):
    """The same, but straight to the program if there is only one, and nothing else to say."""

    def get(self, request: HttpRequest) -> HttpResponse:
        dashboard = api.fetch_dashboard(user=request.user, now=timezone.now())
        said = [notice for notice in dashboard.notices if notice.kind != api.NoticeKind.UNCONFIRMED]
        if len(dashboard.programs) == 1 and not said:
            return HttpResponseRedirect(reverse("dashboard:program", args=[dashboard.programs[0].uuid]))
        return self.answer(dashboard)
