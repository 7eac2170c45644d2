"""Holders of student IDs: an ID opens the account of the learner who has it now.

Old social-auth rows do not decide (ADR 0012).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from social_django.models import UserSocialAuth

from program_enrollments.api.access import acts_for_all_schools
from program_enrollments.api.learners.account_locks import lock_accounts
from program_enrollments.api.learners.claims import is_covered
from program_enrollments.api.learners.evidence import SignOn, fetch_sign_ons, fetch_slugs
from program_enrollments.api.learners.links import fetch_known_claims
from program_enrollments.api.learners.locks import LockedLearner, lock_learners
from program_enrollments.api.learners.student_keys import end_honoring
from program_enrollments.api.realizing.after_sign_in import make_learner
from program_enrollments.api.transactions import CrossedByAnother
from program_enrollments.conf import get_setting
from program_enrollments.data import LearnerProblem, LinkHow, SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import Grant, Learner
from program_enrollments.normalization import normalize_identity, strip_invisible


@dataclass(frozen=True, slots=True)
class Holder:
    """The learner who has a student ID now, locked, and the sign-ons that name the ID.

    `sign_ons` are the present holder's. `former` are those from before the ID changed hands, and those of accounts that
    support staff decided against (`barred`); they open no account.
    """

    learner: LockedLearner
    sign_ons: tuple[SignOn, ...]
    former: tuple[SignOn, ...]
    barred: frozenset[int]

    def account(self, *, slug: str) -> int | None:
        """Return the user ID of the account that the ID opens, or None before the first sign-on.

        Raises SignOnRefused if two accounts have signed on, and no link decides which is the student's.
        """
        user_ids = {sign_on.user_id for sign_on in self.sign_ons}
        linked_id = self.learner.user_id
        if linked_id is not None and (linked_id in user_ids or self.learner.link_how != LinkHow.EMAIL):
            # A link that is as strong as a sign-on outweighs another account's sign-on.
            return linked_id if linked_id in user_ids else None
        if len(user_ids) > 1:
            raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=slug)
        return next(iter(user_ids), None)

    def second_account(self) -> int | None:
        """Return the account that the person got when they declined the linked one, or None if they never did."""
        user_ids = {sign_on.user_id for sign_on in self.sign_ons} - {self.learner.user_id}
        return next(iter(user_ids)) if len(user_ids) == 1 else None


def lock_holder(*, school_id: int, slug: str, remote_id: str, now: datetime) -> Holder:
    """Lock the accounts concerned, and then the learner with this ID at the school.

    A missing learner is created. Two first sign-ons of one person take turns. Raises SignOnRefused if the school may
    have given the ID to somebody else, and CrossedByAnother if the rows changed between the look-up and the lock, so
    that the caller's transaction starts anew.
    """
    student_key = normalize_identity(remote_id)
    seen = _find_or_make(school_id=school_id, remote_id=remote_id, student_key=student_key, now=now)
    spellings = {remote_id, strip_invisible(remote_id), student_key}
    if seen.student_key_normalized == student_key:
        spellings.add(seen.student_key)
    sign_ons = [
        sign_on
        for sign_on in fetch_sign_ons(
            slugs=fetch_slugs(school_id=school_id),
            spellings=spellings,
            user_ids=[] if seen.user_id is None else [seen.user_id],
        )
        if sign_on.student_key == student_key
    ]
    concerned = {sign_on.user_id for sign_on in sign_ons}
    if seen.user_id is not None:
        concerned.add(seen.user_id)
    if lock_accounts(user_ids=concerned) != concerned:
        raise SignOnRefused(SignOnRefusal.ACCOUNT_GONE, slug=slug)
    if lock_learners(ids=[seen.id]) != [seen]:
        raise CrossedByAnother
    if seen.problem_code == LearnerProblem.POSSIBLY_NEW_PERSON:
        raise SignOnRefused(SignOnRefusal.ID_IN_QUESTION, slug=slug)
    barred = _find_barred(seen)
    key_since = seen.key_since if seen.student_key_normalized == student_key else None
    current = tuple(each for each in sign_ons if each.counts_since(key_since) and each.user_id not in barred)
    return Holder(seen, current, tuple(each for each in sign_ons if each not in current), barred)


def _find_or_make(*, school_id: int, remote_id: str, student_key: str, now: datetime) -> LockedLearner:
    """Return the learner whom an ID names, without locking them, and create one if there is none."""
    # Read first: inserting an existing learner would lock its row, and an account's row must be locked before that.
    rows = Learner.objects.filter(school_id=school_id, student_key_normalized=student_key)
    row = rows.values_list(*LockedLearner._fields).first()
    if row is None:
        return _read(
            make_learner(school_id=school_id, remote_id=strip_invisible(remote_id), student_key=student_key, now=now)
        )
    learner = LockedLearner._make(row)
    if learner.honored_for_id is None:
        return learner
    if end_honoring(learner_ids=[learner.id], now=now):
        return _read(learner.id)
    return _read(learner.honored_for_id)


def _read(learner_id: int) -> LockedLearner:
    row = Learner.objects.filter(pk=learner_id).values_list(*LockedLearner._fields).first()
    if row is None:
        raise CrossedByAnother
    return LockedLearner._make(row)


def _find_barred(learner: LockedLearner) -> frozenset[int]:
    """Return the accounts that staff have rejected as this student's, even if the university asserts them."""
    known = fetch_known_claims(learners=[learner])
    return frozenset(
        user_id
        for (_, user_id), claim in known.items()
        if claim.is_dismissed
        and user_id != learner.user_id
        and is_covered(claim_how=LinkHow.SSO.value, dismissed_how=claim.how)
    )


def is_settled(social: UserSocialAuth, *, school_id: int, student_key: str) -> bool:
    """Return whether the learner who has the ID (normalized) now is linked to this identity's account.

    This holds for nearly all sign-ons, and then nothing has to be created, decided or locked. One statement.
    """
    holders = Learner.objects.filter(
        school_id=school_id, student_key_normalized=student_key, user_id=social.user_id, problem_code=""
    )
    return holders.filter(Q(key_since=None) | Q(key_since__lte=social.created)).exists()


def find_privileged(*, user_ids: Collection[int], school_id: int) -> set[int]:
    """Return the privileged ones of these accounts, see `is_privileged`."""
    users = get_user_model()._default_manager.filter(pk__in=user_ids) if user_ids else ()
    return {user.pk for user in users if is_privileged(user=user, school_id=school_id)}


def is_privileged(*, user: Any, school_id: int) -> bool:
    """Return whether an account has rights that a school's identity provider must not hand out.

    These are the rights of staff and superusers, rights on all schools, and rights at another school. Always False with
    the setting `SIGN_ON_TO_PRIVILEGED_ACCOUNTS`.
    """
    if get_setting("SIGN_ON_TO_PRIVILEGED_ACCOUNTS"):
        return False
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return True
    grants = Grant.objects.filter(user_id=user.pk)
    if grants.exclude(Q(school_id=school_id) | Q(program__school_id=school_id)).exists():
        return True
    return acts_for_all_schools(user=user)
