"""After a sign-in: a sign-on, a saved account or a confirmed address links learners and realizes.

It is called after the commit, and never breaks a sign-in. A failure is logged without personal data, stored on the
learners so that staff see it, and tried again at the next sign-in and by the sweep (ADR 0002).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils import timezone

from program_enrollments.api.learners.account_locks import lock_accounts
from program_enrollments.api.learners.claims import Claim, find_accounts_by_email
from program_enrollments.api.learners.evidence import fetch_linking_providers
from program_enrollments.api.learners.locks import lock_learners
from program_enrollments.api.learners.student_keys import end_honoring
from program_enrollments.api.realizing.promises import keep_failures_apart, note_realizing_failure
from program_enrollments.api.realizing.settlement import claim_by_emails, settle_and_realize
from program_enrollments.api.transactions import CrossedByAnother, in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import LinkHow, Origin, RealizingReport, Source
from program_enrollments.failures import describe_failure
from program_enrollments.host import get_host
from program_enrollments.host.deadline import limited
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
)
from program_enrollments.normalization import (
    MAX_IDENTITY_LENGTH,
    is_pseudonym,
    normalize_identity,
    split_uid,
    strip_invisible,
)
from program_enrollments.sql.bulk import insert_rows
from program_enrollments.sql.compiled import CompiledQuery, Slot

logger = logging.getLogger(__name__)


class ProbedLearner(NamedTuple):
    """A learner whom a sign-on may concern.

    `is_named`: the sign-on asserts the learner's ID. `changed_hands`: the ID was somebody else's before. `is_honored`:
    the ID is a former one that is honored for another learner.
    """

    id: int
    is_named: bool
    user_id: int | None
    link_how: str
    waits: bool
    changed_hands: bool
    is_honored: bool

    def is_settled(self, *, user_id: int) -> bool:
        """Return whether the account's sign-on has nothing to link, to strengthen or to realize."""
        return self.user_id == user_id and self.link_how != LinkHow.EMAIL and not self.waits


def _waits() -> Q:
    return Exists(PreemptiveProgramEnrollment.objects.filter(learner=OuterRef("pk"))) | Exists(
        PreemptiveCourseEnrollment.objects.filter(learner=OuterRef("pk"), refusals__lt=Slot("max_tries"))
    )


def _named_or_owned() -> QuerySet[Learner, tuple[Any, ...]]:
    of_school = Learner.objects.filter(
        school__identity_providers__slug=Slot("slug"),
        school__identity_providers__is_enabled=True,
        school__is_sandbox=False,
    ).order_by()
    named, owned = (
        of_school.filter(**condition)
        .annotate(
            waits=_waits(),
            changed_hands=ExpressionWrapper(Q(key_since__isnull=False), BooleanField()),
            is_honored=ExpressionWrapper(Q(honored_for__isnull=False), BooleanField()),
        )
        .values_list("pk", "student_key_normalized", "user_id", "link_how", "waits", "changed_hands", "is_honored")
        for condition in ({"student_key_normalized": Slot("student_key")}, {"user_id": Slot("user_id")})
    )
    return named.union(owned)


def _left_over() -> QuerySet[Learner, tuple[Any, ...]]:
    return Learner.objects.filter(_waits(), user_id=Slot("user_id")).order_by().values_list("pk")


def _left_over_or_addressed() -> QuerySet[Learner, tuple[Any, ...]]:
    addressed = Learner.objects.filter(email_normalized=Slot("email")).exclude(user_id=Slot("user_id")).order_by()
    return _left_over().union(addressed.values_list("pk"))


# Runs at every save of an account or an identity, and nearly always finds nothing to do.
NAMED_OR_OWNED = CompiledQuery(model=Learner, write=_named_or_owned)
LEFT_OVER = CompiledQuery(model=Learner, write=_left_over)
LEFT_OVER_OR_ADDRESSED = CompiledQuery(model=Learner, write=_left_over_or_addressed)


def realize_at_sign_on(*, user_id: int, provider: str, uid: str, created: datetime) -> RealizingReport:
    """Link and realize after a social-auth identity was saved, which the account has had since `created`.

    Only the backends of the setting `SAML_BACKENDS` count, and only uids `<school_slug>:<remote_id>` with the slug of
    an enabled identity provider. A student ID that the school has not enrolled yet is stored as a learner, too: the
    next write of that ID, even at this moment, meets it at the unique constraint and finds the account. An identity
    from before the ID changed hands is the former holder's, and links nobody. Never raises.
    """
    learner_ids: list[int] = []
    return _never_raising(lambda: _sign_on(user_id, provider, uid, created, learner_ids), learner_ids=learner_ids)


def _sign_on(user_id: int, provider: str, uid: str, created: datetime, learner_ids: list[int]) -> RealizingReport:
    parts = split_uid(uid) if provider in get_setting("SAML_BACKENDS") else None
    if parts is None:
        return RealizingReport()
    slug, remote_id = parts
    student_key = normalize_identity(remote_id)
    if max(len(remote_id), len(student_key)) > MAX_IDENTITY_LENGTH or "\x00" in uid or is_pseudonym(student_key):
        return RealizingReport()
    now = timezone.now()
    school_id: int | None = None
    rows = _probe(slug=slug, student_key=student_key, user_id=user_id)
    named = [row for row in rows if row.is_named]
    if named and named[0].is_honored:
        student_key = _end_or_follow(learner_id=named[0].id, student_key=student_key, now=now)
        rows = _probe(slug=slug, student_key=student_key, user_id=user_id)
        named = [row for row in rows if row.is_named]
    if not named:
        school_id = _school_of(slug=slug)
        if school_id is None:
            return RealizingReport()
    elif _has_nothing_to_do(rows, named[0], user_id=user_id, created=created):
        return RealizingReport()
    learner_ids += [row.id for row in rows]
    origin = Origin(source=Source.SIGN_IN.value)
    claim = Claim(user_id, LinkHow.SSO.value)

    def work(one_by_one: bool) -> RealizingReport:
        if not lock_accounts(user_ids=[user_id]):
            # The account was deleted meanwhile.
            return RealizingReport()
        # Somebody may have changed the learner between the look and the locks, so a second run may be necessary.
        current = _probe(slug=slug, student_key=student_key, user_id=user_id) if one_by_one else rows
        ids = [row.id for row in current]
        if school_id is not None:
            ids.append(
                make_learner(
                    school_id=school_id, remote_id=strip_invisible(remote_id), student_key=student_key, now=now
                )
            )
        learners = lock_learners(ids=ids)
        return settle_and_realize(
            learners=learners,
            claims=[(learner, claim) for learner in learners if learner.student_key_normalized == student_key],
            origin=origin,
            now=now,
            one_by_one=one_by_one,
        )

    return keep_failures_apart(work)


def _end_or_follow(*, learner_id: int, student_key: str, now: datetime) -> str:
    """Return the present ID (normalized) of the learner for whom `student_key` is honored.

    If its time is over, end the honoring and return `student_key` itself.
    """
    in_transaction(lambda: end_honoring(learner_ids=[learner_id], now=now))
    present = Learner.objects.filter(pk=learner_id, honored_for__isnull=False)
    return present.values_list("honored_for__student_key_normalized", flat=True).first() or student_key


def _has_nothing_to_do(rows: Sequence[ProbedLearner], named: ProbedLearner, *, user_id: int, created: datetime) -> bool:
    """Return whether everything is done already, or the identity is a former holder's."""
    if len(rows) == 1 and named.is_settled(user_id=user_id):
        return True
    return named.changed_hands and named.user_id != user_id and _is_former(learner_id=named.id, created=created)


def _is_former(*, learner_id: int, created: datetime) -> bool:
    """Return whether an identity from `created` is by a former holder of the learner's student ID."""
    return Learner.objects.filter(pk=learner_id, key_since__gt=created).exists()


def _probe(*, slug: str, student_key: str, user_id: int) -> list[ProbedLearner]:
    """Find the learners whom a sign-on may concern, without locking them.

    They are the learner with this ID at the provider's school, and the learner who is linked to the account there. One
    statement.
    """
    rows = NAMED_OR_OWNED.fetch(slug=slug, student_key=student_key, user_id=user_id, max_tries=get_setting("MAX_TRIES"))
    return [
        ProbedLearner(pk, key == student_key, owner_id, how, bool(waits), bool(changed_hands), bool(is_honored))
        for pk, key, owner_id, how, waits, changed_hands, is_honored in rows
    ]


def _school_of(*, slug: str) -> int | None:
    return fetch_linking_providers().filter(slug=slug).values_list("school_id", flat=True).first()


def make_learner(*, school_id: int, remote_id: str, student_key: str, now: datetime) -> int:
    """Create the learner whom a sign-on names, or find the one that another writer has just created.

    Raises CrossedByAnother if that one is gone again, so that the transaction starts anew.
    """
    insert_rows(
        Learner,
        fields=(
            "school",
            "student_key",
            "student_key_normalized",
            "email",
            "link_how",
            "problem_code",
            "problem_detail",
            "created",
            "modified",
        ),
        rows=[(school_id, remote_id, student_key, *([""] * 4), now, now)],
        ignore_conflicts=True,
    )
    # Locking reads see all committed rows, whatever the isolation level.
    made = Learner.objects.filter(school_id=school_id, student_key_normalized=student_key).select_for_update()
    learner_id = made.values_list("pk", flat=True).first()
    if learner_id is None:
        # It was renamed or merged since the unique constraint reported it.
        raise CrossedByAnother
    return learner_id


def realize_account(*, user_id: int, email: str = "") -> RealizingReport:
    """Link and realize after an account was saved.

    Links by its address if the host has confirmed it, and realizes what was left unfinished. `email` is the saved
    address: with it, one statement finds out that nothing waits. Never raises.
    """
    learner_ids: list[int] = []
    return _never_raising(
        lambda: _realize_account(user_id, normalize_identity(email), learner_ids), learner_ids=learner_ids
    )


def _realize_account(user_id: int, email: str, learner_ids: list[int]) -> RealizingReport:
    values = {"user_id": user_id, "max_tries": get_setting("MAX_TRIES")}
    found = LEFT_OVER_OR_ADDRESSED.fetch(**values, email=email) if email else LEFT_OVER.fetch(**values)
    if not found:
        return RealizingReport()
    learner_ids += [pk for (pk,) in found]
    return _realize_by_confirmed_email(
        user_id=user_id, learner_ids=learner_ids, origin=Origin(source=Source.SIGN_IN.value)
    )


def email_confirmed(*, user_id: int) -> RealizingReport:
    """Link and realize by an e-mail address that the host has just seen confirmed.

    Hosts whose confirmation does not save the user call this after they have stored the confirmation. The address
    itself is read from the host, so that a caller cannot claim one. Never raises.
    """
    learner_ids: list[int] = []

    def work() -> RealizingReport:
        email = normalize_identity(get_host().accounts.confirmed_emails(user_ids=[user_id]).get(user_id, ""))
        if not email:
            return RealizingReport()
        learner_ids.extend(Learner.objects.filter(email_normalized=email).values_list("pk", flat=True))
        if not learner_ids:
            return RealizingReport()
        return _realize_by_confirmed_email(
            user_id=user_id, learner_ids=learner_ids, origin=Origin(source=Source.EMAIL.value)
        )

    return _never_raising(work, learner_ids=learner_ids)


def _realize_by_confirmed_email(*, user_id: int, learner_ids: Sequence[int], origin: Origin) -> RealizingReport:
    confirmed = get_host().accounts.confirmed_emails(user_ids=[user_id]).get(user_id, "")
    accounts = {normalize_identity(confirmed): user_id} if confirmed else {}
    return claim_by_emails(
        learner_ids=learner_ids, accounts=accounts, user_ids=[user_id], origin=origin, now=timezone.now()
    )


def realize_by_emails(*, school_id: int, emails: Collection[str]) -> RealizingReport:
    """Link and realize the school's waiting learners whose (normalized) addresses accounts have confirmed.

    Never raises.
    """
    learner_ids: list[int] = []

    def work() -> RealizingReport:
        accounts = find_accounts_by_email(emails=emails)
        if not accounts:
            return RealizingReport()
        waiting = Learner.objects.filter(school_id=school_id, email_normalized__in=accounts.keys(), user=None)
        learner_ids.extend(waiting.values_list("pk", flat=True))
        return claim_by_emails(
            learner_ids=learner_ids,
            accounts=accounts,
            user_ids=accounts.values(),
            origin=Origin(source=Source.EMAIL.value),
            now=timezone.now(),
        )

    return _never_raising(work, learner_ids=learner_ids)


def _never_raising(work: Callable[[], RealizingReport], *, learner_ids: Collection[int]) -> RealizingReport:
    """Run `work`, and keep its exceptions from the sign-in. They are logged, and shown to staff."""
    try:
        with limited("SIGN_IN_HOST_SECONDS"):
            return work()
    # This is the boundary that keeps sign-ins from breaking.
    except Exception as error:  # noqa: BLE001
        logger.error("Realizing after a sign-in failed: %s, learners %s.", describe_failure(error), sorted(learner_ids))
        try:
            note_realizing_failure(learner_ids=learner_ids, error=error, now=timezone.now())
        # The database itself fails, so only the log has the failure.
        except Exception as second:  # noqa: BLE001
            logger.error("The failure could not be stored on the learners: %s.", describe_failure(second))
        return RealizingReport()
