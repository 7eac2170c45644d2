"""Home: the programs that somebody administers, and what needs attention in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.console import file_words, wording
from program_enrollments.console.base import ConsolePage
from program_enrollments.console.navigation import school_links
from program_enrollments.data import JobState, LearnerState, Permission
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
        now = timezone.now()
        overview = api.fetch_overview(access=self.access, now=now, cursor=self.cursor, page_size=CARDS)
        schools = overview.schools
        if len(schools) == 1:
            self.frame.school = schools[0]
        self.frame.navigation += _links(overview.cards, self.access)
        context = {
            "schools": schools,
            "cards": [_show(card, now=now) for card in overview.cards],
            "attention": [
                *_needs(overview.cards),
                *_late_feeds(overview),
                *_rekeys(overview),
                *_certificates(overview),
            ],
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


def _show(card: api.ProgramCard, *, now: datetime) -> dict[str, object]:
    program, change = card.program, card.last_change
    learners = reverse("console:learners", args=[program.uuid])
    first = learners if card.counts is not None else reverse("console:courses", args=[program.uuid])
    return {
        "program": program,
        "url": first,
        "counts": card.counts,
        "in_need": card.in_need,
        "counted_before": card.counts.counted_at if card.counts and card.counts.counted_at < now else None,
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
        "file": _show_file(card),
        "can_write": Permission.WRITE_ENROLLMENTS in card.permissions,
    }


def _show_file(card: api.ProgramCard) -> dict[str, object] | None:
    job = card.jobs.last
    if job is None:
        return None
    return {
        "title": file_words.job_title(job),
        "url": reverse("console:file", args=[card.program.uuid, job.pk]),
        "state": file_words.state_label(job),
        "tone": file_words.state_tone(job),
        "numbers": file_words.tell_numbers(job),
        "at": job.created,
    }


def _files(card: api.ProgramCard) -> list[Attention]:
    """Return the files that need a person; more than one in the same state lead to the list of them."""
    attention = []
    texts = {
        JobState.HELD.value: (
            _("The file “%(file)s” is held: decide about it."),
            _("Files are held: decide about them."),
        ),
        JobState.FAILED.value: (_("The file “%(file)s” has failed."), _("Files have failed.")),
        JobState.WAITING.value: (
            _("The file “%(file)s” waits for the platform."),
            _("Files wait for the platform."),
        ),
    }
    for state, (one, several) in texts.items():
        jobs = [job for job in card.jobs.in_need if job.state == state]
        if not jobs:
            continue
        text = one % {"file": file_words.job_title(jobs[0])} if len(jobs) == 1 else several
        url = reverse("console:file", args=[card.program.uuid, jobs[0].pk])
        if len(jobs) > 1:
            url = f"{reverse('console:files', args=[card.program.uuid])}?state={state}"
        tone = "bad" if state == JobState.FAILED else "wait"
        attention.append(Attention(text, card.program.title, url, tone))
    return attention


def _needs(cards: list[api.ProgramCard]) -> list[Attention]:
    attention = []
    for card in cards:
        attention += _files(card)
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
        if card.counts and card.counts.waiting_long and not card.program.school.is_sandbox:
            text = ngettext(
                "%(count)d learner has waited for an account for more than two weeks.",
                "%(count)d learners have waited for an account for more than two weeks.",
                card.counts.waiting_long,
            )
            url = f"{learners}?status=enrolled&state={LearnerState.WAITING}"
            attention.append(Attention(text % {"count": card.counts.waiting_long}, title, url, "wait"))
    return attention


def _late_feeds(overview: api.Overview) -> list[Attention]:
    cards = {card.program.pk: card for card in overview.cards}
    attention = []
    for state in overview.late_feeds:
        card, since = cards[state.feed.program_id or 0], state.times.late_since
        text = _("No file has come to %(files)s; it was expected until %(at)s.") % {
            "files": f"{state.folder}/{state.feed.pattern}",
            "at": date_format(timezone.localtime(since), "j M Y, H:i"),
        }
        # People who may not change feeds can still send tonight's file by hand.
        manages = Permission.MANAGE_SCHOOL in card.permissions
        url = (
            reverse("console:feeds", args=[card.program.school.key])
            if manages
            else reverse("console:send-file", args=[card.program.uuid])
        )
        attention.append(Attention(text, card.program.title, url, "bad"))
    return attention


def _rekeys(overview: api.Overview) -> list[Attention]:
    attention = []
    for job in overview.rekeys:
        failed = job.state == JobState.FAILED
        text = (
            _("The file of student IDs “%(file)s” has failed.")
            if failed
            else _("The file of student IDs “%(file)s” waits for the platform.")
        )
        url = reverse("console:rekey", args=[job.school.key, job.pk])
        text %= {"file": file_words.job_title(job)}
        attention.append(Attention(text, job.school.name, url, "bad" if failed else "wait"))
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
