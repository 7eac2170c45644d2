"""Student IDs that change hands: taken from a learner, honored for a while, free for the next person.

See ADR 0012.

The learners table is the one place that knows a school's IDs, under one unique constraint. An ID that a learner no
longer has is a row without a person there, a *vacancy*.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef
from social_django.models import UserSocialAuth

from program_enrollments.api.learners.evidence import fetch_sign_ons, fetch_slugs, remove_sign_ons
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.models import (
    Learner,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
)
from program_enrollments.sql.bulk import insert_rows, select_rows

VACANCY_FIELDS = (
    "school",
    "student_key",
    "student_key_normalized",
    "email",
    "link_how",
    "problem_code",
    "problem_detail",
    "key_since",
    "honored_for",
    "honored_until",
    "created",
    "modified",
)


class FormerKey(NamedTuple):
    """A student ID that a learner had until now; with `honored_until` it goes on naming that learner."""

    learner_id: int
    student_key: str
    student_key_normalized: str
    honored_until: datetime | None = None


def make_pseudonym(*, kind: str) -> str:
    """Return a student ID that nobody has and nobody can be enrolled or signed on with.

    `kind`: retired or released.
    """
    return f"{kind}-{secrets.token_hex(16)}"


def vacate_keys(*, school_id: int, former: Sequence[FormerKey], now: datetime) -> None:
    """Keep IDs that were just taken from learners, for whoever gets them next. One statement."""
    insert_rows(
        Learner,
        fields=VACANCY_FIELDS,
        rows=[
            (
                school_id,
                key.student_key,
                key.student_key_normalized,
                *([""] * 4),
                now,
                key.learner_id if key.honored_until else None,
                key.honored_until,
                now,
                now,
            )
            for key in former
        ],
    )


def find_vacant(*, learners: Iterable[LockedLearner]) -> set[int]:
    """Return the IDs of those of `learners` that are vacancies.

    A vacancy is held by nobody, and nothing is promised to it.

    One statement where any of them looks like one, none else.
    """
    candidates = {learner.id for learner in learners if learner.is_unclaimed}
    if not candidates:
        return set()
    promises = (
        model._default_manager.filter(learner=OuterRef("pk"))
        for model in (PreemptiveProgramEnrollment, PreemptiveCourseEnrollment)
    )
    nothing = Learner.objects.filter(pk__among=candidates).exclude(Exists(next(promises)) | Exists(next(promises)))
    return set(nothing.order_by().values_list("pk", flat=True))


def take_identities(*, school_id: int, taken: Mapping[int, Collection[str]]) -> None:
    """Take from accounts (user ID) the sign-ons that name these IDs at the school.

    The IDs are normalized, and count in any spelling.

    Two statements, or three where there is something to take.
    """
    if not taken:
        return
    sign_ons = fetch_sign_ons(slugs=fetch_slugs(school_id=school_id), user_ids=taken.keys())
    remove_sign_ons(sign_ons=[each for each in sign_ons if each.student_key in taken[each.user_id]])


def give_identities(*, slug: str, given: Mapping[int, tuple[str, datetime | None]]) -> None:
    """Give accounts (user ID) the sign-on under `slug` with a student ID.

    The ID is as given, and held since a moment.

    A row of another account with the same uid makes way: the school has said whose the ID is.
    """
    if not given:
        return
    backend = university_backend()
    uids = {f"{slug}:{student_key}": user_id for user_id, (student_key, _) in given.items()}
    rows = UserSocialAuth.objects.filter(provider=backend, uid__among=set(uids)).values_list(
        "pk", "user_id", "provider", "uid"
    )
    there = [(pk, user_id, uid) for pk, user_id, provider, uid in rows if provider == backend and uid in uids]
    others = [pk for pk, user_id, uid in there if user_id != uids[uid]]
    if others:
        UserSocialAuth.objects.filter(pk__in=others).delete()
    own = {uid for _, user_id, uid in there if user_id == uids[uid]}
    UserSocialAuth.objects.bulk_create(
        [UserSocialAuth(user_id=user_id, provider=backend, uid=uid) for uid, user_id in uids.items() if uid not in own],
        ignore_conflicts=True,
    )
    late = {f"{slug}:{student_key}": since for student_key, since in given.values() if since is not None}
    if late:
        # The clock of the server that took the ID from somebody else may be ahead of this one's. A sign-on that the
        # account kept from when it had the ID before counts again, too.
        moment = max(late.values())
        UserSocialAuth.objects.filter(uid__among=set(late), created__lt=moment).update(created=moment)


def university_backend() -> str:
    """Return the name of the social-auth backend through which universities sign people on."""
    return str(get_setting("SAML_BACKENDS")[0])


def end_honoring(*, learner_ids: Collection[int], now: datetime) -> int:
    """End the honoring of former IDs (rows of learners) whose time is over: from then on they are free.

    The identity goes from the account of the learner who had it. Returns how many ended. The caller is in a
    transaction.
    """
    due = list(
        Learner.objects.select_for_update()
        .filter(pk__in=learner_ids, honored_for__isnull=False, honored_until__lte=now)
        .order_by("pk")
    )
    if not due:
        return 0
    holders = dict(
        Learner.objects.filter(pk__in={row.honored_for_id for row in due}, user__isnull=False).values_list(
            "pk", "user_id"
        )
    )
    taken: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in due:
        if row.honored_for_id in holders and row.student_key_normalized:
            taken[row.school_id][holders[row.honored_for_id]].add(row.student_key_normalized)
    for school_id, keys in taken.items():
        take_identities(school_id=school_id, taken=keys)
    for row in due:
        Learner.objects.filter(pk=row.pk).update(
            honored_for=None, honored_until=None, key_since=row.honored_until, modified=now
        )
    return len(due)


def find_due(*, now: datetime, limit: int) -> list[int]:
    """Return the IDs of at most `limit` rows whose honoring is over."""
    due = Learner.objects.filter(honored_for__isnull=False, honored_until__lte=now).order_by("pk")
    return list(due.values_list("pk", flat=True)[:limit])


class Honored(NamedTuple):
    """Former student IDs: the learner's present ID for each, and the rows whose time is over.

    Former IDs are normalized; present ones are as given and normalized.
    """

    current: dict[str, tuple[str, str]]
    due: list[int]


def fetch_honored(*, school_id: int, student_keys: Callable[[], Collection[str]], now: datetime) -> Honored:
    """Return which of `student_keys` (normalized) are honored for a learner.

    One statement if the school honors nothing; `student_keys` is not called then.
    """
    # Few rows are honored. SQLite would take the school's index instead, and read all learners of the school.
    # PostgreSQL reads all learners until their table was analyzed for the first time (ADR 0007).
    honoring = Learner.objects.annotate(of_school=F("school_id") + 0).filter(of_school=school_id, honored_for_id__gt=0)
    if not honoring.order_by().exists():
        return Honored({}, [])
    found = [
        row
        for row in select_rows(
            Learner,
            fields=("id", "student_key_normalized", "honored_for", "honored_until"),
            among=("student_key_normalized", student_keys()),
            school=school_id,
        )
        if row[2] is not None
    ]
    honored = {key: pk for _, key, pk, until in found if until > now}
    rows = Learner.objects.filter(pk__in=set(honored.values())).values_list(
        "pk", "student_key", "student_key_normalized"
    )
    current = {pk: (student_key, normalized) for pk, student_key, normalized in rows if normalized}
    return Honored(
        {key: current[pk] for key, pk in honored.items() if pk in current},
        [row_id for row_id, _, _, until in found if until <= now],
    )


def fetch_current_keys(*, school_id: int, student_keys: Collection[str], now: datetime) -> dict[str, str]:
    """Return the present IDs of the learners for whom any of `student_keys` is honored, by the old one.

    All are normalized. IDs whose honoring is over are freed. One statement if the school honors nothing.
    """
    honored = fetch_honored(school_id=school_id, student_keys=lambda: student_keys, now=now)
    if honored.due:
        in_transaction(lambda: end_honoring(learner_ids=honored.due, now=now))
    return {key: normalized for key, (_given, normalized) in honored.current.items()}
