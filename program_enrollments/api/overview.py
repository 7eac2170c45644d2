"""Overviews: the programs that somebody administers, each with its counts, and what needs attention."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from program_enrollments.api.access import Access
from program_enrollments.api.feeds.overview import FeedState, fetch_late_feeds
from program_enrollments.api.reads.change_entries import tell_changes
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.api.reads.job_notices import REMEMBERED, JobNotices, fetch_job_notices
from program_enrollments.api.reads.needs import REFUSED, find_in_need
from program_enrollments.api.reads.summaries import Counts, fetch_counts
from program_enrollments.api.sso.certificates import ENDS_SOON, read_certificates
from program_enrollments.data import JobKind, JobState, LearnerProblem, Page, Permission
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import Job, LedgerEntry, LedgerPosition, Program, SamlConfiguration, School

MOST_REKEYS = 10
"""Re-keys in need that are shown."""


@dataclass(frozen=True, slots=True)
class ProgramCard:
    """A program as the first page shows it; without counts for people who may not see its enrollments.

    `problems` counts the learners who need help by problem, and `in_need` counts all of them. `last_change` is the
    newest entry of the feed, as `fetch_changes` shows it. `jobs` are the files that need a person, and the last one.
    """

    program: Program
    permissions: frozenset[str]
    counts: Counts | None = None
    problems: dict[str, int] = field(default_factory=dict)
    in_need: int = 0
    last_change: dict[str, Any] | None = None
    jobs: JobNotices = field(default_factory=JobNotices)

    @property
    def conflicts(self) -> int:
        """Learners whom two accounts claim."""
        return self.problems.get(LearnerProblem.CONFLICT, 0)

    @property
    def refused(self) -> int:
        """Learners whose seat in a course run the platform refused."""
        return self.problems.get(REFUSED, 0)


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """An identity provider's last signing certificate that ends within 30 days, or has ended."""

    school: School
    provider: str
    ends_at: datetime
    has_ended: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of programs, and what their schools have to look at.

    The page's rows are `{"card": ProgramCard}`; `certificates` are those of the schools that end soon. `schools` are
    those of the programs on the page. `late_feeds` are those of these programs, and `rekeys` the schools' files of
    student IDs that have failed or wait: each only for people who can act on it.
    """

    page: Page
    schools: list[School]
    certificates: list[EndingCertificate]
    late_feeds: list[FeedState]
    rekeys: list[Job]

    @property
    def cards(self) -> list[ProgramCard]:
        """The programs of the page."""
        return [row["card"] for row in self.page.rows]


def fetch_overview(*, access: Access, now: datetime, cursor: str | None, page_size: int) -> Overview:
    """Return a page of the programs that the caller sees.

    Raises BadCursor. The number of statements is constant.
    """
    programs = access.visible_programs().select_related("school")

    def read(place: Cursor, limit: int) -> list[tuple[int, Program]]:
        keyed = {"pk__lt" if place.backward else "pk__gt": place.key}
        found = programs.filter(**keyed).order_by("-pk" if place.backward else "pk")[:limit]
        return [(program.pk, program) for program in found]

    page = fetch_page(read=read, cursor=cursor, page_size=page_size, render=lambda program: {"program": program})
    cards = _cards(access=access, programs=[row["program"] for row in page.rows], now=now)
    schools = {card.program.school_id: card.program.school for card in cards}
    return Overview(
        Page([{"card": card} for card in cards], page.next_cursor, page.previous_cursor),
        sorted(schools.values(), key=lambda school: school.name),
        _ending_certificates(schools=schools, now=now),
        _late_feeds(cards=cards, now=now),
        _rekeys_in_need(access=access, schools=schools, now=now),
    )


def _late_feeds(*, cards: Sequence[ProgramCard], now: datetime) -> list[FeedState]:
    acting = {Permission.MANAGE_SCHOOL, Permission.WRITE_ENROLLMENTS}
    program_ids = {card.program.pk for card in cards if acting & card.permissions}
    return fetch_late_feeds(now=now, program_ids=program_ids)


def _rekeys_in_need(*, access: Access, schools: Mapping[int, School], now: datetime) -> list[Job]:
    """Return the schools' last re-keys that have failed or wait for the platform. One statement."""
    acting = [
        pk
        for pk, school in schools.items()
        if access.reach(permission=Permission.WRITE_ENROLLMENTS, school_id=pk).is_school_wide
    ]
    jobs = Job.objects.filter(kind=JobKind.STUDENT_KEYS, school_id__in=acting, dry_run=False)
    failed = Q(state=JobState.FAILED, finished__gte=now - REMEMBERED)
    found = jobs.filter(Q(state=JobState.WAITING) | failed).select_related("school")
    return list(found.order_by("-pk")[:MOST_REKEYS])


def _ending_certificates(*, schools: Mapping[int, School], now: datetime) -> list[EndingCertificate]:
    """Return the providers of these schools whose last certificate ends soon. One statement."""
    configurations = SamlConfiguration.objects.filter(
        identity_provider__school__in=schools, identity_provider__is_enabled=True
    ).select_related("identity_provider")
    ending = []
    for configuration in configurations:
        try:
            certificates = read_certificates(text=configuration.signing_certificates)
        except MetadataUnusable:
            continue
        last, provider = max(one.expires_at for one in certificates), configuration.identity_provider
        if last <= now + ENDS_SOON:
            ending.append(EndingCertificate(schools[provider.school_id], str(provider), last, last <= now))
    return sorted(ending, key=lambda one: one.ends_at)


def _cards(*, access: Access, programs: Sequence[Program], now: datetime) -> list[ProgramCard]:
    held = {program.pk: access.permissions_on(program) for program in programs}
    readable = [program for program in programs if Permission.READ_ENROLLMENTS in held[program.pk]]
    ids = [program.pk for program in readable]
    counts = fetch_counts(program_ids=ids, now=now) if ids else {}
    problems: dict[int, Counter[str]] = defaultdict(Counter)
    people: dict[int, set[int]] = defaultdict(set)
    for need in find_in_need(programs=readable):
        problems[need.program_id][need.problem] += 1
        people[need.program_id].add(need.learner_id)
    changes = _last_changes(program_ids=ids)
    notices = fetch_job_notices(program_ids=ids, now=now)
    return [
        ProgramCard(
            program,
            held[program.pk],
            counts.get(program.pk),
            dict(problems[program.pk]),
            len(people[program.pk]),
            changes.get(program.pk),
            notices.get(program.pk, JobNotices()),
        )
        for program in programs
    ]


def _last_changes(*, program_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the newest entry of each program's feed. Two statements."""
    positions = list(LedgerPosition.objects.filter(pk__in=program_ids).values_list("pk", "last_position"))
    if not positions:
        return {}
    # Pair by pair, so that each is a look-up in the index of positions.
    named = reduce(or_, (Q(program_id=pk, position=position) for pk, position in positions))
    entries = LedgerEntry.objects.filter(named)
    programs = dict(entries.values_list("pk", "program_id"))
    return {programs[change["id"]]: change for _, change in tell_changes(entries=entries)}
