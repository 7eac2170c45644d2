"""Retirement: a person's identifiers are removed from all records, and the records stay (ADR 0003).

docs/operations.rst, Retiring a person, lists what is removed and what the host has to remove itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import timezone

from program_enrollments.api.disclosures import forget_in_disclosures
from program_enrollments.api.feeds.retention import forget_in_feeds
from program_enrollments.api.grades.freezes import retire_from_freezes
from program_enrollments.api.jobs.retention import forget_in_jobs
from program_enrollments.api.kept_answers import forget_answers
from program_enrollments.api.learners.locks import (
    LockedLearner,
    find_learner_ids,
    find_siblings,
    lock_learners,
)
from program_enrollments.api.learners.student_keys import make_pseudonym, take_identities
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.outbox import forget_in_outbox
from program_enrollments.api.realizing.unlinking import undo_link
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import Change, ChangeKind, LinkHow, Origin
from program_enrollments.exceptions import HostError, LinkRefused
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    LinkClaim,
    PreemptiveCourseEnrollment,
    School,
)
from program_enrollments.normalization import normalize_identity

logger = logging.getLogger(__name__)

IDENTITY_KINDS = (ChangeKind.STUDENT_KEY, ChangeKind.EMAIL)
"""Kinds of ledger entries whose `before` and `after` are identities."""

ACCOUNT_KINDS = (ChangeKind.LINK, ChangeKind.CONFLICT)
"""Kinds of ledger entries whose `before` and `after` name accounts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons:
    """The persons to retire, by any of their identifiers.

    Primary keys of learners, the host's user IDs, or, at the school with the key `school_key`, student IDs and e-mail
    addresses in any spelling.
    """

    learner_ids: Collection[int] = ()
    user_ids: Collection[int] = ()
    school_key: str = ""
    student_keys: Collection[str] = ()
    emails: Collection[str] = ()


@dataclass(slots=True)
class RetiringReport:
    """The outcome of a retirement, by primary keys of learners.

    `unknown` counts identifiers that name no learner. `refused` learners are not changed, because the host did not take
    back what this app gave them.
    """

    retired: list[int]
    retired_before: list[int]
    refused: list[int]
    unknown: int

    @property
    def is_complete(self) -> bool:
        """Return whether every named person was found and is retired now."""
        return not (self.refused or self.unknown)


def retire_learners(
    *,
    persons: Persons,
    origin: Origin,
    keep_seats: bool = False,
    progress: Callable[[int, int], None] | None = None,
    now: datetime | None = None,
) -> RetiringReport:
    """Remove the identifiers of these persons from all tables.

    These are learners, ledger, frozen grades, stored failures, kept answers, disclosures, and jobs with their files.
    Each person becomes a learner with a pseudonym, `retired-` and 32 random digits, linked to no account. Their
    enrollments stay as preemptive ones that never become real. Seats and roles that this app gave the account are taken
    back, unless `keep_seats`: afterwards nothing knows whose they were. A person who signs on or is enrolled under the
    old identities is a new learner.

    Each person is one transaction, so the call can be stopped at any time, and repeating it changes nothing more. The
    report counts persons who were not found. After each person `progress` is called with 1 and the number of all.
    """
    moment = now or timezone.now()
    ids, unknown = _find(persons)
    report = RetiringReport(retired=[], retired_before=[], refused=[], unknown=unknown)
    for learner_id in ids:
        try:
            retired = in_transaction(partial(_retire, learner_id, origin, keep_seats, moment))
        except (LinkRefused, HostError) as error:
            logger.error("Learner %s could not be retired: %s", learner_id, error.detail)
            report.refused.append(learner_id)
        else:
            if retired is None:
                report.unknown += 1
            else:
                (report.retired if retired else report.retired_before).append(learner_id)
        if progress is not None:
            progress(1, len(ids))
    return report


def _find(persons: Persons) -> tuple[list[int], int]:
    """Return the IDs of the named learners, ascending, and the number of identifiers that name nobody."""
    ids: set[int] = set()
    unknown = 0
    if persons.learner_ids:
        found = set(Learner.objects.filter(pk__in=persons.learner_ids).values_list("pk", flat=True))
        unknown += len(set(persons.learner_ids) - found)
        ids |= found
    if persons.user_ids:
        linked = Learner.objects.filter(user_id__in=persons.user_ids).values_list("pk", "user_id")
        unknown += len(set(persons.user_ids) - {user_id for _, user_id in linked})
        ids |= {pk for pk, _ in linked}
    student_keys, emails = _normalized(persons.student_keys), _normalized(persons.emails)
    # What no learner can be known by is not worth a look; a database may not even take it.
    names = {name for name in student_keys | emails if name and "\x00" not in name}
    school_ids = School.objects.filter(key=persons.school_key).values_list("pk", flat=True) if names else ()
    named: list[tuple[int, str | None, str | None]] = []
    for school_id in school_ids:
        found_ids = find_learner_ids(school_id=school_id, student_keys=student_keys & names, emails=emails & names)
        learners = Learner.objects.filter(pk__in=found_ids)
        named += learners.values_list("pk", "student_key_normalized", "email_normalized")
    unknown += len(student_keys - {student_key for _, student_key, _ in named})
    unknown += len(emails - {email for _, _, email in named})
    ids |= {pk for pk, _, _ in named}
    return sorted(ids), unknown


def _normalized(values: Iterable[str]) -> set[str]:
    return {normalize_identity(value) for value in values}


def _retire(learner_id: int, origin: Origin, keep_seats: bool, now: datetime) -> bool | None:
    """Retire one learner in the current transaction. False if they were retired before, None if gone."""
    user_ids = Learner.objects.filter(pk=learner_id, user__isnull=False).values_list("user_id", flat=True)
    for learner in lock_learners(ids={learner_id, *find_siblings(user_ids=list(user_ids))}):
        if learner.id != learner_id:
            continue
        if Learner.objects.filter(pk=learner_id, retired_at__isnull=False).exists():
            return False
        pseudonym = make_pseudonym(kind="retired")
        names = _names_of(learner)
        changes = _forget_learner(learner, pseudonym, keep_seats=keep_seats, now=now)
        records = _records_of(learner_id)
        former = _former_keys(records)
        _forget_in_ledger(records, pseudonym)
        retire_from_freezes(pseudonyms=dict.fromkeys(records, pseudonym))
        # Finding the answers with this learner would mean reading them all, and they are kept for a day anyway.
        # One without a status belongs to a request that runs, and is what keeps a second one from running too.
        forget_answers(school_id=learner.school_id)
        forget_in_outbox(learner_ids=records)
        forget_in_disclosures(school_id=learner.school_id, learner_ids=records)
        forget_in_jobs(school_id=learner.school_id, names=names, former=former, pseudonym=pseudonym)
        forget_in_feeds(school_id=learner.school_id, now=now)
        changes.append(Change(None, learner_id, pseudonym, ChangeKind.RETIRED, None, pseudonym))
        record_changes(changes=changes, origin=origin, now=now)
        return True
    return None


def _names_of(learner: LockedLearner) -> set[str]:
    """Return the names of the learner in files: the ID, honored former IDs, and the address."""
    honored = Learner.objects.filter(honored_for_id=learner.id).values_list("student_key_normalized", flat=True)
    return {name for name in (learner.student_key_normalized, learner.email_normalized, *honored) if name}


def _forget_learner(learner: LockedLearner, pseudonym: str, *, keep_seats: bool, now: datetime) -> list[Change]:
    """Remove the account and the identities of a learner. Return ledger entries with the pseudonym."""
    changes: list[Change] = []
    if learner.user_id is not None:
        _take_identities(learner)
        nameless = learner._replace(student_key=pseudonym, email="")
        _, changes = undo_link(learner=nameless, now=now, tell_host=not keep_seats)
        # Which account it was is what is to be forgotten; that there was one, and by which evidence, is not.
        changes = [
            change
            if change.kind not in ACCOUNT_KINDS
            else Change(None, learner.id, pseudonym, ChangeKind.LINK, learner.link_how, None)
            for change in changes
        ]
    PreemptiveCourseEnrollment.objects.filter(learner_id=learner.id).exclude(problem_code="").update(problem_detail="")
    Learner.objects.filter(pk=learner.id).update(
        student_key=pseudonym,
        student_key_normalized=normalize_identity(pseudonym),
        email="",
        email_normalized=None,
        problem_code="",
        problem_detail="",
        problem_at=None,
        undone_how="",
        proposed_email="",
        key_since=None,
        retired_at=now,
        modified=now,
    )
    LinkClaim.objects.filter(learner_id=learner.id).delete()
    return changes


def _take_identities(learner: LockedLearner) -> None:
    """Remove from the account the identities of this student: the present ID and those still honored.

    If the school gives an ID to somebody else, that person must not be signed on to this account.
    """
    honored = Learner.objects.filter(honored_for_id=learner.id)
    keys = {learner.student_key_normalized, *honored.values_list("student_key_normalized", flat=True)}
    if learner.user_id is not None:
        taken = {learner.user_id: {key for key in keys if key}}
        take_identities(school_id=learner.school_id, taken=taken)
    honored.delete()


def _records_of(learner_id: int) -> list[int]:
    """Return the IDs of the learner and of all records that were joined into it, whose entries stay."""
    records = {learner_id}
    latest = {learner_id}
    while latest:
        joined = LedgerEntry.objects.filter(learner_id__in=latest, kind=ChangeKind.MERGE)
        latest = {int(before) for before in joined.values_list("before", flat=True) if before} - records
        records |= latest
    return sorted(records)


def _former_keys(records: Collection[int]) -> set[tuple[str | None, str | None]]:
    """Return the student IDs before and after each change of the learner's."""
    entries = LedgerEntry.objects.filter(learner_id__in=records, kind=ChangeKind.STUDENT_KEY, before__isnull=False)
    return set(entries.order_by().values_list("before", "after"))


def _forget_in_ledger(records: Collection[int], pseudonym: str) -> None:
    """Overwrite the identifiers of the person in all their entries, with a constant number of statements.

    These are the student key, identities, the account, and texts written by people.
    """
    entries = LedgerEntry.objects.filter(learner_id__in=records)
    entries.update(student_key=pseudonym, reason="")
    for column in ("before", "after"):
        identities = entries.filter(kind__in=IDENTITY_KINDS, **{f"{column}__isnull": False})
        identities.update(**{column: pseudonym})
        links = entries.filter(kind__in=ACCOUNT_KINDS)
        for how in LinkHow.values:
            links.filter(**{f"{column}__startswith": f"{how}:"}).update(**{column: how})
