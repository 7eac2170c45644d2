"""Calls: all rows of a JSON write, from what was sent to an outcome for each.

Before anything is written, identities are resolved over the whole call: who is named twice, and which addresses change
hands between rows. Then the rows go through the pipeline in chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _

from program_enrollments.api.enrollments.chunks import write_in_chunks
from program_enrollments.api.enrollments.explanations import explain
from program_enrollments.api.enrollments.pipeline import EnrollmentWrite
from program_enrollments.api.enrollments.rows import Row
from program_enrollments.api.kept_answers import RequestProgress
from program_enrollments.api.learners.email_domains import fetch_email_domains
from program_enrollments.api.learners.hand_overs import find_hand_overs
from program_enrollments.api.learners.identity import (
    EnrollmentRequest,
    Identity,
    check_identities,
    find_duplicates,
)
from program_enrollments.api.learners.people import Person
from program_enrollments.api.learners.student_keys import end_honoring, fetch_honored
from program_enrollments.api.pieces import cut
from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome, Word
from program_enrollments.exceptions import TooManyRows
from program_enrollments.models import Learner
from program_enrollments.sql.bulk import select_rows

RowT = TypeVar("RowT", bound=Row[Any, Any])

MAX_TOGETHER = 1_000
"""Rows that depend on each other are written in one transaction; more than these are refused."""


@dataclass(frozen=True, slots=True)
class Call(Generic[RowT]):
    """The rows of a call, in the order in which they were sent.

    Those with a word are refused already, those in `known` were written by an earlier try. `domains` are the school's.
    """

    rows: list[RowT]
    domains: frozenset[str] = frozenset()
    known: Mapping[int, RowOutcome] = field(default_factory=dict)
    progress: RequestProgress | None = None

    @property
    def to_write(self) -> list[RowT]:
        """The rows about which nothing is decided yet."""
        known = self.known
        return [row for row in self.rows if not (row.word or (known and row.number in known))]


def prepare_call(
    *,
    school_id: int,
    requests: Sequence[EnrollmentRequest],
    make_row: Callable[[Any, Person, int], RowT],
    allow_pseudonyms: bool,
    progress: RequestProgress | None,
    now: datetime,
) -> Call[RowT]:
    """Check the identities of all rows of a call and refuse those that name one learner twice.

    A student ID that is honored for a learner who has another one now names that learner. A learner may be named by ID
    in one row and by e-mail address in another, so stored addresses are looked at wherever a call mixes the two. Raises
    TooManyRows over the setting `MAX_ROWS`.
    """
    limit = get_setting("MAX_ROWS")
    if len(requests) > limit:
        raise TooManyRows(limit=limit, received=len(requests))
    if not requests:
        return Call([])
    domains = fetch_email_domains(school_id=school_id)
    identities = resolve_identities(
        school_id=school_id, requests=requests, domains=domains, allow_pseudonyms=allow_pseudonyms, now=now
    )
    rows = [
        make_row(request, Person(identity), number)
        for number, (request, identity) in enumerate(zip(requests, identities, strict=True))
    ]
    for number in find_duplicates(
        keys=[request.key for request in requests],
        identities=identities,
        student_keys_by_email=_fetch_student_keys(school_id=school_id, identities=identities),
    ):
        rows[number].word = Word.DUPLICATED.value
    kept = progress.fetch() if progress is not None else {}
    known = {
        number: RowOutcome(requests[number].key, word, True, before, detail, changed)
        for number, (word, before, detail, changed) in kept.items()
    }
    return Call(rows, domains, known, progress)


def resolve_identities(
    *,
    school_id: int,
    requests: Sequence[EnrollmentRequest],
    domains: Collection[str],
    allow_pseudonyms: bool,
    now: datetime,
) -> list[Identity]:
    """Return whom each row names, checked, and read as things are now. A constant number of statements.

    A student ID that is honored for a learner who has another one now names that learner; an address in the place of
    the ID names the learner who is listed under it.
    """
    identities = check_identities(rows=requests, domains=domains, allow_pseudonyms=allow_pseudonyms)
    _read_honored(school_id=school_id, identities=identities, now=now)
    _read_addresses_as_such(school_id=school_id, identities=identities)
    return identities


def write_call(*, write: EnrollmentWrite[RowT], call: Call[RowT], dry_run: bool) -> list[RowOutcome]:
    """Write a call's rows in chunks, and return one outcome per row, in their order.

    Raises WriteInterrupted.
    """
    good: list[RowT] = []
    for row in call.to_write:
        if word := write.refuse_early(row):
            row.word = word
        else:
            good.append(row)
    good = _keep_together(good, school_id=write.program.school_id)
    progress = call.progress
    if progress is None or dry_run:
        write_in_chunks(write=write, rows=good, dry_run=dry_run, known=call.known)
    else:

        def keep(chunk: Sequence[RowT]) -> None:
            progress.keep({row.number: row.outcome for row in chunk if not row.word})

        write_in_chunks(write=write, rows=good, sink=keep, known=call.known)
    outcomes = [
        explain(row=row.request, outcome=row.outcome, domains=call.domains) if row.word else row.outcome
        for row in call.rows
    ]
    for number, outcome in call.known.items():
        outcomes[number] = outcome
    return outcomes


def _keep_together(rows: list[RowT], *, school_id: int) -> list[RowT]:
    """Return the rows with those beside each other, and joined, that are written together or not at all.

    Hardly any call has such rows. Too many that depend on each other are refused.
    """
    chains = find_hand_overs(school_id=school_id, people=[row.person for row in rows])
    if not chains:
        return rows
    by_person = {row.person: row for row in rows}
    dependent: dict[RowT, None] = {}
    for chain in chains:
        together = [by_person[person] for person in chain]
        dependent.update(dict.fromkeys(together))
        for row in together[1:]:
            row.joined = True
        if len(together) > MAX_TOGETHER:
            for row in together:
                row.word = Word.INVALID_IDENTITY.value
                row.detail = _(
                    "Addresses change hands between %(count)d rows that can only be written together; at most "
                    "%(limit)d can. Send the new addresses in two steps."
                ) % {"count": len(together), "limit": MAX_TOGETHER}
    return [*(row for row in dependent if not row.word), *(row for row in rows if row not in dependent)]


def _read_honored(*, school_id: int, identities: list[Identity], now: datetime) -> None:
    """Let a row with a former student ID that is still honored name the learner who had it."""
    honored = fetch_honored(
        school_id=school_id,
        student_keys=lambda: {identity.student_key_normalized for identity in identities if identity.valid} - {""},
        now=now,
    )
    if honored.due:
        in_transaction(lambda: end_honoring(learner_ids=honored.due, now=now))
    for number, identity in enumerate(identities) if honored.current else ():
        if current := honored.current.get(identity.student_key_normalized):
            identities[number] = identity._replace(student_key=current[0], student_key_normalized=current[1])


def _read_addresses_as_such(*, school_id: int, identities: list[Identity]) -> None:
    """Let a row whose student ID is an address name the learner known by that address alone.

    Lists show that learner under the address, and clients write back what they have read. A learner with such a student
    ID of their own comes first.
    """
    alike = {
        identity.student_key_normalized
        for identity in identities
        if "@" in identity.student_key_normalized and not identity.email_normalized
    }
    if not alike:
        return
    of_school = Learner.objects.filter(school_id=school_id).order_by()
    taken = set(of_school.filter(student_key_normalized__among=alike).values_list("student_key_normalized", flat=True))
    known = of_school.filter(email_normalized__among=alike - taken).values_list(
        "email_normalized", "student_key_normalized"
    )
    shown = {email for email, student_key in known if not student_key}
    for number, identity in enumerate(identities):
        if not identity.email_normalized and identity.student_key_normalized in shown:
            identities[number] = Identity("", "", identity.student_key, identity.student_key_normalized, True)


def _fetch_student_keys(*, school_id: int, identities: Collection[Identity]) -> dict[str, str]:
    """Return the stored student ID per address that a row gives without a student ID.

    Reads nothing if all rows are of that kind, or none is: then nobody is named in two ways.
    """
    emails = [
        identity.email_normalized
        for identity in identities
        if identity.email_normalized and not identity.student_key_normalized
    ]
    if not emails or len(emails) == len(identities):
        return {}
    return {
        email: student_key
        for piece in cut(emails)
        for email, student_key in select_rows(
            Learner,
            fields=("email_normalized", "student_key_normalized"),
            among=("email_normalized", piece),
            school=school_id,
        )
        if student_key
    }
