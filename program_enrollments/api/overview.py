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
from program_enrollments.api.reads.change_entries import tell_changes
from program_enrollments.api.reads.cursors import Cursor, fetch_page
from program_enrollments.api.reads.needs import REFUSED, find_in_need
from program_enrollments.api.reads.summaries import Counts, fetch_counts
from program_enrollments.api.sso.certificates import ENDS_SOON, read_certificates
from program_enrollments.data import LearnerProblem, Page, Permission
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import LedgerEntry, LedgerPosition, Program, SamlConfiguration, School


@dataclass(frozen=True, slots=True)
class ProgramCard:
    """A program as the first page shows it; without counts for people who may not see its enrollments.

    `problems` counts the learners who need help by problem, and `in_need` counts all of them. `last_change` is the
    newest entry of the feed, as `fetch_changes` shows it.
    """

    program: Program
    permissions: frozenset[str]
    counts: Counts | None = None
    problems: dict[str, int] = field(default_factory=dict)
    in_need: int = 0
    last_change: dict[str, Any] | None = None

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
    those of the programs on the page.
    """

    page: Page
    schools: list[School]
    certificates: list[EndingCertificate]

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
    )


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
    return [
        ProgramCard(
            program,
            held[program.pk],
            counts.get(program.pk),
            dict(problems[program.pk]),
            len(people[program.pk]),
            changes.get(program.pk),
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
