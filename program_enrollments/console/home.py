"""Home: the programs that somebody administers, and what needs attention in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.console import wording
from program_enrollments.console.base import ConsolePage
from program_enrollments.console.navigation import school_links
from program_enrollments.data import LearnerState, Permission
from program_enrollments.pages.charts import Sparkline
from program_enrollments.pages.frames import LinkGroup
from program_enrollments.pages.tables import Table

CARDS = 20


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that needs a person: what, where, and where to go."""

    text: str
    where: str
    url: str
    tone: str


class Home(ConsolePage):
    """The first page."""

    section = "home"
    template_name = "program_enrollments/console/home.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        overview = api.fetch_overview(access=self.access, now=timezone.now(), cursor=self.cursor, page_size=CARDS)
        schools = overview.schools
        if len(schools) == 1:
            self.frame.school = schools[0]
        self.frame.navigation += _links(overview.cards, self.access)
        context = {
            "schools": schools,
            "cards": [_show(card) for card in overview.cards],
            "attention": [*_needs(overview.cards), *_certificates(overview)],
            "table": Table(caption="", columns=(), page=overview.page, query=request.GET),
        }
        return self.show(context)


def _links(cards: list[api.ProgramCard], access: api.Access) -> list[LinkGroup]:
    """Return the links of the schools, as far as the grants on their programs tell."""
    groups: dict[int, list[LinkGroup]] = {}
    for card in cards:
        school = card.program.school
        groups.setdefault(school.pk, school_links(school, access=access, permissions=card.permissions, current=""))
    return [group for links in groups.values() for group in links]


def _show(card: api.ProgramCard) -> dict[str, object]:
    program, change = card.program, card.last_change
    learners = reverse("console:learners", args=[program.uuid])
    first = learners if card.counts is not None else reverse("console:courses", args=[program.uuid])
    return {
        "program": program,
        "url": first,
        "counts": card.counts,
        "in_need": card.in_need,
        "enrolled_url": f"{learners}?status=enrolled",
        "waiting_url": f"{learners}?status=enrolled&state={LearnerState.WAITING}",
        "need_url": f"{learners}?state={LearnerState.HELP}",
        "sparkline": Sparkline(card.counts.weeks) if card.counts else None,
        "change": change
        and {
            "at": change["at"],
            "text": wording.change_text(change),
            "origin": wording.change_origin(change),
            "url": reverse("console:changes", args=[program.uuid]),
        },
        "can_write": Permission.WRITE_ENROLLMENTS in card.permissions,
    }


def _needs(cards: list[api.ProgramCard]) -> list[Attention]:
    attention = []
    for card in cards:
        learners = reverse("console:learners", args=[card.program.uuid])
        help_url, title = f"{learners}?state={LearnerState.HELP}", card.program.title
        if card.conflicts:
            text = ngettext(
                "Two accounts claim %(count)d learner.", "Two accounts each claim %(count)d learners.", card.conflicts
            )
            attention.append(Attention(text % {"count": card.conflicts}, title, help_url, "bad"))
        if card.refused:
            text = ngettext(
                "The platform refused a seat to %(count)d learner.",
                "The platform refused a seat to %(count)d learners.",
                card.refused,
            )
            attention.append(Attention(text % {"count": card.refused}, title, help_url, "bad"))
        others = sum(card.problems.values()) - card.conflicts - card.refused
        if others:
            text = ngettext("%(count)d learner needs a person.", "%(count)d learners need a person.", others)
            attention.append(Attention(text % {"count": others}, title, help_url, "bad"))
        if card.counts and card.counts.waiting_long:
            text = ngettext(
                "%(count)d learner has waited for an account for more than two weeks.",
                "%(count)d learners have waited for an account for more than two weeks.",
                card.counts.waiting_long,
            )
            url = f"{learners}?status=enrolled&state={LearnerState.WAITING}"
            attention.append(Attention(text % {"count": card.counts.waiting_long}, title, url, "wait"))
    return attention


def _certificates(overview: api.Overview) -> list[Attention]:
    attention = []
    for one in overview.certificates:
        if one.has_ended:
            text = _("The last signing certificate of “%(provider)s” has ended.")
        else:
            text = _("The last signing certificate of “%(provider)s” ends soon.")
        url = reverse("console:sign-in", args=[one.school.key])
        attention.append(Attention(text % {"provider": one.provider}, one.school.name, url, "wait"))
    return attention
