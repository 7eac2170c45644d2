"""The sweep: link learners and realize left-over enrollments, in batches (docs/operations.rst)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import OperationalError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from social_django.models import UserSocialAuth

from program_enrollments.api.learners.account_locks import hold_accounts, lock_accounts
from program_enrollments.api.learners.claims import Claim, find_accounts_by_email, is_covered
from program_enrollments.api.learners.evidence import (
    FIELDS,
    SignOn,
    fetch_linking_providers,
    fetch_sign_ons,
    read_sign_ons,
)
from program_enrollments.api.learners.links import find_owners
from program_enrollments.api.learners.locks import lock_learners
from program_enrollments.api.learners.search import count_learners_in_need
from program_enrollments.api.realizing.promises import keep_failures_apart, note_realizing_failure
from program_enrollments.api.realizing.repairs import Mended, mend
from program_enrollments.api.realizing.settlement import email_claims, settle_and_realize
from program_enrollments.conf import get_setting
from program_enrollments.data import LearnerProblem, LinkHow, Origin, RealizingReport, Source
from program_enrollments.failures import describe_failure
from program_enrollments.models import (
    Learner,
    LinkClaim,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
)

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called after each batch with the number of accounts and learners in it, and the total at the start."""


@dataclass(slots=True)
class SweepReport:
    """The result of a sweep, in numbers of learners, except `done`.

    `found` were to be linked or realized; `failed_learners` of them failed, and have a problem now. `in_need` are all
    learners who need a person when the sweep ends.
    """

    found: int = 0
    mended: Mended = field(default_factory=Mended)
    done: RealizingReport = field(default_factory=RealizingReport)
    failed_learners: int = 0
    in_need: int = 0

    @property
    def is_clean(self) -> bool:
        """Return whether nothing is left that a person or another sweep has to look at."""
        return not (
            self.failed_learners or self.done.failures or self.done.conflicts or self.mended.failures or self.in_need
        )


class Candidate(NamedTuple):
    """A learner to link or to realize, with the claim of an account.

    A linked learner who waits to be realized has no claim. A learner whom several accounts claim is several candidates.
    """

    learner_id: int
    claim: Claim | None


def sweep(*, dry_run: bool = False, now: datetime | None = None, progress: Progress | None = None) -> SweepReport:
    """Link every waiting learner with evidence, and realize the enrollments of linked learners.

    Each batch is a transaction, so the sweep can run beside writers and sign-ins, and can be stopped at any time. With
    `dry_run` it only counts. A batch that fails is halved until the failing learners are alone. Their failure is stored
    on them and reported. No course enrollment is tried twice.
    """
    report = SweepReport()
    moment = now or timezone.now()
    report.mended = mend(size=get_setting("CHUNK_SIZE"), dry_run=dry_run, now=moment)
    total = _count_work(before=moment) if progress else 0
    found: set[int] = set()
    for several, looked_at in _batches(before=moment):
        candidates = _without_dismissed(several)
        found.update(candidate.learner_id for candidate in candidates)
        if candidates and not dry_run:
            _do(candidates, moment, report)
        if progress:
            progress(looked_at, total)
    report.found = len(found)
    report.in_need = count_learners_in_need()
    return report


def _without_dismissed(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out claims that a person has dismissed. Only a new sign-on or confirmation opens them again."""
    ids = {candidate.learner_id for candidate in candidates if candidate.claim is not None}
    if not ids:
        return list(candidates)
    rows = LinkClaim.objects.filter(learner_id__among=ids, is_dismissed=True)
    dismissed = {(learner_id, user_id): how for learner_id, user_id, how in rows.values_list("learner", "user", "how")}
    return [
        candidate
        for candidate in candidates
        if candidate.claim is None
        or not is_covered(
            claim_how=candidate.claim.how,
            dismissed_how=dismissed.get((candidate.learner_id, candidate.claim.user_id)),
        )
    ]


def _count_work(*, before: datetime) -> int:
    return (
        UserSocialAuth.objects.filter(provider__in=get_setting("SAML_BACKENDS")).count()
        + _waiting_for_email().count()
        + _left_over(before=before).count()
    )


def _batches(*, before: datetime) -> Iterator[tuple[list[Candidate], int]]:
    size = get_setting("CHUNK_SIZE")
    yield from _claimed_by_sign_on(size)
    yield from _claimed_by_email(size)
    yield from _linked_and_waiting(size, before)


def _claimed_by_sign_on(size: int) -> Iterator[tuple[list[Candidate], int]]:
    """Yield candidates by walking all of the host's identities: only a normalized uid can be matched."""
    schools = dict(fetch_linking_providers().values_list("slug", "school_id"))
    slugs_of: dict[int, list[str]] = defaultdict(list)
    for slug, school_id in schools.items():
        slugs_of[school_id].append(slug)
    identities = UserSocialAuth.objects.filter(provider__in=get_setting("SAML_BACKENDS"))
    last = 0
    while True:
        rows = list(identities.filter(pk__gt=last).order_by("pk").values_list(*FIELDS)[:size])
        if not rows:
            return
        last = rows[-1][0]
        named = _named_by(read_sign_ons(rows, slugs=schools.keys()), schools)
        waiting = _fetch_waiting(named.keys())
        if waiting:
            # Another batch can have a second account's claim on the same learner.
            spellings = {spelling for _, given, place, _ in waiting for spelling in (place[1], given)}
            slugs = {slug for _, _, (school_id, _), _ in waiting for slug in slugs_of[school_id]}
            for place, sign_ons in _named_by(fetch_sign_ons(slugs=slugs, spellings=spellings), schools).items():
                named[place] += sign_ons
        yield (
            [
                Candidate(pk, Claim(user_id, LinkHow.SSO.value))
                for pk, _, place, key_since in waiting
                for user_id in sorted({each.user_id for each in named[place] if each.counts_since(key_since)})
            ],
            len(rows),
        )


Place = tuple[int, str]
"""(school ID, student ID, normalized)"""


def _fetch_waiting(places: Collection[Place]) -> list[tuple[int, str, Place, datetime | None]]:
    """Return ID, student ID as given, place and `key_since` of these places' learners without an account."""
    waiting = Learner.objects.filter(
        school_id__in={school_id for school_id, _ in places},
        student_key_normalized__among={student_key for _, student_key in places},
        user=None,
        honored_for=None,
    ).exclude(problem_code=LearnerProblem.CONFLICT)
    rows = waiting.values_list("pk", "student_key", "school_id", "student_key_normalized", "key_since")
    return [
        (pk, given, (school_id, normalized), key_since)
        for pk, given, school_id, normalized, key_since in rows
        if normalized and (school_id, normalized) in places
    ]


def _named_by(sign_ons: Iterable[SignOn], schools: Mapping[str, int]) -> dict[Place, list[SignOn]]:
    """Return the sign-ons that name each place (school and student ID)."""
    named: dict[Place, list[SignOn]] = defaultdict(list)
    for sign_on in sign_ons:
        named[schools[sign_on.slug], sign_on.student_key].append(sign_on)
    return named


def _claimed_by_email(size: int) -> Iterator[tuple[list[Candidate], int]]:
    last = 0
    while True:
        rows = list(
            _waiting_for_email().filter(pk__gt=last).order_by("pk").values_list("pk", "email_normalized")[:size]
        )
        if not rows:
            return
        last = rows[-1][0]
        accounts = find_accounts_by_email(emails={email for _, email in rows if email})
        candidates = [
            Candidate(pk, Claim(accounts[email], LinkHow.EMAIL.value)) for pk, email in rows if email in accounts
        ]
        yield candidates, len(rows)


def _linked_and_waiting(size: int, before: datetime) -> Iterator[tuple[list[Candidate], int]]:
    last = 0
    while True:
        waiting = _left_over(before=before).filter(pk__gt=last)
        ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:size])
        if not ids:
            return
        last = ids[-1]
        yield [Candidate(pk, None) for pk in ids], len(ids)


def _waiting_for_email() -> QuerySet[Learner]:
    waiting = Learner.objects.filter(user=None, email_normalized__isnull=False, school__is_sandbox=False)
    return waiting.exclude(problem_code=LearnerProblem.CONFLICT)


def _left_over(*, before: datetime) -> QuerySet[Learner]:
    """Return the linked learners with preemptive enrollments that were not tried since `before`."""
    promises = PreemptiveCourseEnrollment.objects.filter(
        Q(last_tried=None) | Q(last_tried__lt=before), learner=OuterRef("pk"), refusals__lt=get_setting("MAX_TRIES")
    )
    programs = PreemptiveProgramEnrollment.objects.filter(learner=OuterRef("pk"))
    return Learner.objects.filter(Q(Exists(promises)) | Q(Exists(programs)), user__isnull=False)


def _do(candidates: Sequence[Candidate], now: datetime, report: SweepReport) -> None:
    """Settle and realize a batch in one transaction, or its halves if it fails.

    Store the failure on a learner who fails alone.
    """
    ids = sorted({candidate.learner_id for candidate in candidates})
    try:
        report.done += keep_failures_apart(partial(_settle_batch, candidates, now))
    # One learner must not fail the others. The failure is stored and counted, so the command exits with 1.
    except Exception as error:  # noqa: BLE001
        if len(ids) > 1 and not isinstance(error, OperationalError):
            middle = ids[len(ids) // 2]
            _do([candidate for candidate in candidates if candidate.learner_id < middle], now, report)
            _do([candidate for candidate in candidates if candidate.learner_id >= middle], now, report)
            return
        # The exception's text can contain values of a row.
        logger.error("Sweeping failed: %s, %s learners.", describe_failure(error), len(ids))
        report.failed_learners += len(ids)
        note_realizing_failure(learner_ids=ids, error=error, now=now)


def _settle_batch(candidates: Sequence[Candidate], now: datetime, one_by_one: bool) -> RealizingReport:
    made: dict[int, list[Claim]] = defaultdict(list)
    for learner_id, claim in candidates:
        if claim is not None:
            made[learner_id].append(claim)
    ids = {candidate.learner_id for candidate in candidates}
    there = lock_accounts(user_ids={claim.user_id for several in made.values() for claim in several})
    claims = {
        learner_id: [claim for claim in several if claim.user_id in there] for learner_id, several in made.items()
    }
    if unclaimed := ids - claims.keys():
        linked = Learner.objects.filter(pk__among=unclaimed, user__isnull=False)
        hold_accounts(user_ids=linked.values_list("user_id", flat=True))
    school_ids = Learner.objects.filter(pk__among=claims).values_list("school_id", flat=True) if claims else []
    learners = lock_learners(ids=ids.union(find_owners(school_ids=school_ids, user_ids=there) if there else ()))
    settled = [
        (learner, claim) for learner in learners for claim in claims.get(learner.id, ()) if claim.how == LinkHow.SSO
    ]
    by_email = {
        learner.email_normalized: claim.user_id
        for learner in learners
        for claim in claims.get(learner.id, ())
        if claim.how == LinkHow.EMAIL and learner.email_normalized
    }
    return settle_and_realize(
        learners=learners,
        claims=[*settled, *email_claims(learners=learners, accounts=by_email)],
        origin=Origin(source=Source.SWEEP.value),
        now=now,
        one_by_one=one_by_one,
        reopens=False,
    )
