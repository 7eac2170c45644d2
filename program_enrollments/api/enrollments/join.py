"""The join of a write's learners with accounts, so that a sign-in meanwhile leaves no limbo."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import IntegrityError

from program_enrollments.api.learners.creation import complete_learners, make_learners
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.people import Person
from program_enrollments.api.realizing.after_sign_in import realize_by_emails
from program_enrollments.api.realizing.promises import realize_linked
from program_enrollments.api.transactions import CrossedByAnother, after_commit, atomic, is_lost, is_passing
from program_enrollments.data import Change
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)


def join_learners(*, school_id: int, people: Collection[Person], now: datetime) -> tuple[list[Change], bool]:
    """Complete and make the learners of these people.

    Return the ledger's entries, and whether stored enrollments moved.

    A learner that turns out to have an account has its preemptive enrollments made real at once, so that what follows
    meets the same state as for any other learner with an account. The caller records the entries, and plans anew where
    something moved. Raises CrossedByAnother where another writer gave an identity or an account away meanwhile.
    """
    adding = [person for person in people if person.adds]
    missing = [person for person in people if person.learner is None]
    if not adding and not missing:
        return [], False
    waiting = [person for person in adding if person.known.user_id is None]
    changes: list[Change] = []
    try:
        if adding:
            changes += complete_learners(people=adding, now=now)
        if missing:
            changes += make_learners(school_id=school_id, people=missing, now=now)
    except IntegrityError as error:
        raise CrossedByAnother from error
    now_linked = [person.known for person in waiting if person.known.user_id is not None]
    if now_linked:
        changes += _realize_apart(now_linked, now)
    return changes, bool(now_linked) or any(not person.is_new for person in missing)


def _realize_apart(learners: Sequence[LockedLearner], now: datetime) -> list[Change]:
    """Make real what these learners were promised anywhere.

    What the host refuses of it waits, and fails no row.
    """
    try:
        with atomic():
            return realize_linked(learners=learners, now=now).changes
    # Whatever the host raised about another program's course run, it is no fault of the row at hand.
    except Exception as error:
        if is_lost() or is_passing(error):
            raise
        logger.warning("Realizing beside a write failed (%s) and is done one by one.", describe_failure(error))
        return realize_linked(learners=learners, now=now, one_by_one=True).changes


def recheck_emails_after_commit(*, school_id: int, people: Iterable[Person]) -> None:
    """Look again for accounts that confirmed the addresses of new and completed learners meanwhile.

    Runs once others can see these learners.

    A confirmation that commits while a learner with that address is being made sees no learner, and the making saw no
    confirmed address. Of the two looks after the two commits at least one sees the other.
    """
    emails = {
        person.identity.email_normalized
        for person in people
        if (person.is_new or person.adds)
        and person.identity.email_normalized
        and person.learner is not None
        and person.learner.user_id is None
    }
    if emails:
        after_commit(partial(realize_by_emails, school_id=school_id, emails=emails))
