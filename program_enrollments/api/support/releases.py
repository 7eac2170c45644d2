"""Releases: a school takes a student ID from a learner, to give it to somebody else (ADR 0012)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.learners.identity import check_identity
from program_enrollments.api.learners.locks import LockedLearner, find_learner_ids, lock_learners
from program_enrollments.api.learners.student_keys import (
    FormerKey,
    find_vacant,
    make_pseudonym,
    take_identities,
    vacate_keys,
)
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.pieces import cut
from program_enrollments.api.scope import get_school
from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import Change, ChangeKind, LearnerProblem, Origin
from program_enrollments.exceptions import TooManyRows
from program_enrollments.models import Learner, School
from program_enrollments.sql.bulk import update_rows


class Released(TextChoices):
    """The outcome of a release."""

    RELEASED = "released", _("released")
    UNKNOWN = "unknown", _("nobody at the school has this ID")
    DUPLICATED = "duplicated", _("given twice; nothing was done")
    INVALID = "invalid-identity", _("cannot be a student ID")


GOOD = frozenset({Released.RELEASED})


def release_student_keys(
    *, school: School, student_keys: Sequence[str], origin: Origin, dry_run: bool = False, now: datetime | None = None
) -> list[Released]:
    """Take these student IDs from the learners who have them. Return one outcome per ID, in order.

    The learners keep their accounts and enrollments under their e-mail address, or else under a pseudonym that can be
    neither enrolled nor used to sign on. The identity is removed from the account, and the next person with the ID is
    another learner. An ID that is free already is `released`. Each chunk is a transaction. Repeating the call changes
    nothing more. Raises TooManyRows.
    """
    limit = get_setting("MAX_ROWS")
    if len(student_keys) > limit:
        raise TooManyRows(limit=limit, received=len(student_keys))
    moment = now or timezone.now()
    identities = [check_identity(student_key=key, email="", domains=()) for key in student_keys]
    times = Counter(identity.student_key_normalized for identity in identities if identity.valid)
    words = [
        Released.INVALID
        if not identity.valid
        else Released.DUPLICATED
        if times[identity.student_key_normalized] > 1
        else Released.UNKNOWN
        for identity in identities
    ]
    numbers = {
        identity.student_key_normalized: number
        for number, identity in enumerate(identities)
        if words[number] == Released.UNKNOWN
    }
    keys = sorted(numbers)
    for chunk in cut(keys):

        def work(chunk: Sequence[str] = chunk) -> list[str]:
            return _release_chunk(school_id=school.pk, keys=chunk, origin=origin, dry_run=dry_run, now=moment)

        for key in in_transaction(work):
            words[numbers[key]] = Released.RELEASED
    return words


def release_student_keys_at(
    *, school_key: str, student_keys: Sequence[str], origin: Origin, dry_run: bool = False
) -> list[Released]:
    """Release student IDs as `release_student_keys` does, at the school with this key.

    Raises SchoolDoesNotExist.
    """
    return release_student_keys(
        school=get_school(key=school_key), student_keys=student_keys, origin=origin, dry_run=dry_run
    )


def release_learner(*, learner_id: int, origin: Origin, now: datetime | None = None) -> bool:
    """Release the student ID of one learner; False if the learner has none to release."""
    found = (
        Learner.objects.filter(pk=learner_id, student_key_normalized__isnull=False, retired_at=None)
        .select_related("school")
        .first()
    )
    if found is None:
        return False
    words = release_student_keys(school=found.school, student_keys=[found.student_key], origin=origin, now=now)
    return words == [Released.RELEASED]


def _release_chunk(*, school_id: int, keys: Sequence[str], origin: Origin, dry_run: bool, now: datetime) -> list[str]:
    """Release IDs in the current transaction, and return the IDs that are free now."""
    found = lock_learners(ids=find_learner_ids(school_id=school_id, student_keys=keys, emails=()))
    # Learners who were renamed since the look-up have other IDs now, which are not to be released.
    locked = [learner for learner in found if learner.student_key_normalized in keys]
    vacant = find_vacant(learners=locked)
    held = [learner for learner in locked if learner.id not in vacant]
    if held and not dry_run:
        _release(school_id=school_id, learners=held, origin=origin, now=now)
    return [learner.student_key_normalized for learner in locked if learner.student_key_normalized]


def _release(*, school_id: int, learners: Sequence[LockedLearner], origin: Origin, now: datetime) -> None:
    since = timezone.now()
    honored = {learner.honored_for_id for learner in learners if learner.honored_for_id is not None}
    holders = {learner.id: learner for learner in [*learners, *lock_learners(ids=honored)]}
    persons = [learner for learner in learners if learner.honored_for_id is None]
    take_identities(
        school_id=school_id,
        taken=_taken(learners, holders),
    )
    # Honored IDs are no longer honored. Their row stays and marks the ID as free.
    Learner.objects.filter(pk__in=[learner.id for learner in learners if learner.honored_for_id is not None]).update(
        honored_for=None, honored_until=None, key_since=since, modified=now
    )
    names = {learner.id: "" if learner.email else make_pseudonym(kind="released") for learner in persons}
    update_rows(
        Learner,
        fields=("student_key", "student_key_normalized", "key_since", "modified"),
        rows=[(learner.id, names[learner.id], names[learner.id] or None, None, now) for learner in persons],
    )
    Learner.objects.filter(
        pk__in=[learner.id for learner in persons], problem_code=LearnerProblem.POSSIBLY_NEW_PERSON
    ).update(problem_code="", problem_detail="", problem_at=None, proposed_email="")
    vacate_keys(
        school_id=school_id,
        former=[
            FormerKey(learner.id, learner.student_key, learner.student_key_normalized)
            for learner in persons
            if learner.student_key_normalized
        ],
        now=since,
    )
    changes = [
        Change(
            None,
            learner.id,
            names[learner.id] or learner.email,
            ChangeKind.STUDENT_KEY,
            before=learner.student_key,
            after=names[learner.id] or None,
        )
        for learner in persons
    ]
    record_changes(changes=changes, origin=origin, now=now)


def _taken(learners: Sequence[LockedLearner], holders: dict[int, LockedLearner]) -> dict[int, set[str]]:
    """Return the (normalized) IDs to remove, per account."""
    taken: dict[int, set[str]] = {}
    for learner in learners:
        holder = holders.get(learner.honored_for_id or learner.id)
        if holder is not None and holder.user_id is not None and learner.student_key_normalized:
            taken.setdefault(holder.user_id, set()).add(learner.student_key_normalized)
    return taken
