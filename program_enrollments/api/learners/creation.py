"""Creation of learners, and what rows add to learners who are known.

Both are linked at once where there is an account that claims them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from program_enrollments.api.learners.account_locks import lock_accounts
from program_enrollments.api.learners.claims import Claim, find_accounts_by_email, find_accounts_by_student_key
from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.learners.links import (
    ALREADY_SOMEBODY,
    Conflict,
    apply_settlement,
    fetch_known_claims,
    find_owners,
    link_change,
    note_conflicts,
    settle_claims,
)
from program_enrollments.api.learners.locks import LockedLearner, find_learner_ids, lock_learners
from program_enrollments.api.learners.people import Person
from program_enrollments.api.transactions import CrossedByAnother
from program_enrollments.data import Change, ChangeKind, LinkHow
from program_enrollments.models import Learner, School
from program_enrollments.sql.bulk import insert_rows, update_rows

NEW_LEARNER_FIELDS = (
    "student_key",
    "student_key_normalized",
    "email",
    "email_normalized",
    "user",
    "link_how",
    "linked_at",
    "problem_code",
    "problem_detail",
    "problem_at",
    "school",
    "created",
    "modified",
)


def foresee_claims(*, school_id: int, people: Iterable[Person], creates: bool) -> list[int]:
    """Lock the accounts that claim these people, and note them on those.

    Return the IDs of the learners that these accounts are at the school already.

    Before learners are locked: linking takes the account's row first. `people` are identified by a look without locks;
    with `creates`, those who are no learners yet will become some. What turns up later is left to the look after the
    commit, to the next sign-in and to the sweep.
    """
    wanted = {}
    for person in people:
        person.claim = None
        if person.learner is None:
            if creates and person.is_valid:
                wanted[person] = person.identity
        elif person.adds and person.learner.user_id is None:
            wanted[person] = _joined(person.identity, person.learner)
    claims = _find_claims(school_id=school_id, identities=wanted) if wanted else {}
    if not claims:
        return []
    there = lock_accounts(user_ids={claim.user_id for claim in claims.values()})
    for person, claim in claims.items():
        person.claim = claim if claim.user_id in there else None
    return find_owners(school_ids=[school_id], user_ids=there)


def _joined(identity: Identity, learner: LockedLearner) -> Identity:
    """Return what is known of a learner once it has what a row adds."""
    return Identity(
        learner.student_key or identity.student_key,
        learner.student_key_normalized or identity.student_key_normalized,
        identity.email or learner.email,
        identity.email_normalized or learner.email_normalized or "",
        True,
    )


def complete_learners(*, people: Collection[Person], now: datetime) -> list[Change]:
    """Give the learners of these people the student ID or address that their rows add.

    Return the ledger's entries for it.

    A learner that still waits is linked if the new identity is an account's, by the person's claim. One statement for
    all, one more where addresses change hands, a few more where accounts turn up.
    """
    changes: list[Change] = []
    vacated = []
    for person in people:
        identity, learner = person.identity, person.known
        completed = learner
        if identity.student_key_normalized and not learner.student_key_normalized:
            completed = completed._replace(
                student_key=identity.student_key, student_key_normalized=identity.student_key_normalized
            )
            changes.append(_identity_change(completed, ChangeKind.STUDENT_KEY, None, identity.student_key))
        if identity.email_normalized and identity.email_normalized != learner.email_normalized:
            completed = completed._replace(email=identity.email, email_normalized=identity.email_normalized)
            changes.append(_identity_change(completed, ChangeKind.EMAIL, learner.email or None, identity.email))
        if person.absorbed is not None:
            # The row of an ID that was given up; the ID goes on, and with it since when it is the new holder's.
            completed = completed._replace(key_since=person.absorbed.key_since)
            vacated.append(person.absorbed.id)
        person.learner = completed
    if vacated:
        Learner.objects.filter(pk__in=vacated).delete()
    # Databases compare row by row: an address must be given up before somebody else can get it.
    together = set(people)
    givers = {person.giver.known.id for person in people if person.giver is not None and person.giver in together}
    update_rows(Learner, fields=("email", "email_normalized"), rows=[(pk, "", None) for pk in sorted(givers)])
    update_rows(
        Learner,
        fields=("student_key", "student_key_normalized", "email", "email_normalized", "key_since", "modified"),
        rows=[(*row[:5], row.key_since, now) for row in (person.known for person in people)],
    )
    waiting = [person for person in people if person.claim is not None and person.known.user_id is None]
    return changes + _link_waiting(people=waiting, now=now) if waiting else changes


def _identity_change(learner: LockedLearner, kind: str, before: str | None, after: str) -> Change:
    return Change(
        program_id=None,
        learner_id=learner.id,
        student_key=learner.display_key,
        kind=kind,
        before=before,
        after=after,
    )


def _link_waiting(*, people: Sequence[Person], now: datetime) -> list[Change]:
    """Link learners that wait, and whose identity just grew, to the accounts that claim them.

    Their promises stay for realizing.
    """
    claims = [(person.known, person.claim) for person in people if person.claim is not None]
    school_ids = {learner.school_id for learner, _ in claims}
    taken = {
        (school_id, user_id): learner
        for school_id in school_ids
        for user_id, learner in _taken(school_id=school_id, claims=[claim for _, claim in claims]).items()
    }
    known = fetch_known_claims(learners=[learner for learner, _ in claims])
    settlement = settle_claims(claims=claims, owners=taken, known=known)
    # A merge would need the other learner's lock; the sweep does it.
    settlement.merges.clear()
    settlement.strengthened.clear()
    linked, changes = apply_settlement(settlement=settlement, now=now)
    by_id = {learner.id: learner for learner in linked}
    for person in people:
        person.learner = by_id.get(person.known.id, person.known)
    return changes


def _find_claims(*, school_id: int, identities: Mapping[Person, Identity]) -> dict[Person, Claim]:
    """Find the account of each person, by these identities.

    The student ID comes first, then the e-mail address.
    """
    by_student_key = find_accounts_by_student_key(
        school_id=school_id,
        student_keys={
            identity.student_key_normalized: identity.student_key
            for identity in identities.values()
            if identity.student_key_normalized
        },
    )
    by_email = find_accounts_by_email(
        emails={identity.email_normalized for identity in identities.values() if identity.email_normalized}
    )
    if by_email and School.objects.filter(pk=school_id, is_sandbox=True).exists():
        by_email = {}
    claims = {}
    for person, identity in identities.items():
        user_id = by_student_key.get(identity.student_key_normalized)
        if user_id is not None:
            claims[person] = Claim(user_id, LinkHow.SSO.value)
        elif (user_id := by_email.get(identity.email_normalized)) is not None:
            claims[person] = Claim(user_id, LinkHow.EMAIL.value)
    return claims


def _taken(*, school_id: int, claims: Iterable[Claim]) -> dict[int, LockedLearner]:
    """Return which of the claiming accounts are learners of the school already."""
    user_ids = {claim.user_id for claim in claims}
    if not user_ids:
        return {}
    rows = Learner.objects.filter(school_id=school_id, user_id__among=user_ids).values_list(*LockedLearner._fields)
    return {learner.user_id: learner for learner in (LockedLearner(*row) for row in rows) if learner.user_id}


def make_learners(*, school_id: int, people: Sequence[Person], now: datetime) -> list[Change]:
    """Make these people learners, and return the ledger's entries for their links.

    A learner whom an account claims is linked.

    An account that already is a learner of the school, and lacks just what the row gives, is completed instead. Raises
    CrossedByAnother where another writer made one of them at the same moment: the chunk then starts anew and finds it.
    """
    claims = {person: person.claim for person in people if person.claim is not None}
    taken = _taken(school_id=school_id, claims=claims.values())
    completed = _complete_taken(claims=claims, taken=taken)
    changes = complete_learners(people=completed, now=now) if completed else []
    rows: dict[Person, tuple[Any, ...]] = {}
    contested: list[Person] = []
    for person in people:
        if person in completed:
            continue
        identity, claim = person.identity, person.claim
        refused = claim is not None and claim.user_id in taken
        if claim is not None and not refused:
            taken[claim.user_id] = LockedLearner(0, "", "", "", "", claim.user_id, claim.how, school_id, "")
        link = (claim.user_id, claim.how, now) if claim is not None and not refused else (None, "", None)
        if refused:
            contested.append(person)
        rows[person] = (
            identity.student_key,
            identity.student_key_normalized or None,
            identity.email,
            identity.email_normalized or None,
            *link,
            *("", "", None),
            school_id,
            now,
            now,
        )
    for person, learner_id in _insert_learners(school_id=school_id, rows=rows, now=now).items():
        person.learner = learner = LockedLearner(*(learner_id, *rows[person][:6], school_id, ""))
        person.is_new = True
        if learner.user_id is not None:
            claim = Claim(learner.user_id, learner.link_how)
            changes.append(link_change(learner_id=learner_id, student_key=learner.display_key, claim=claim))
    conflicts = [Conflict(person.known, claims[person], ALREADY_SOMEBODY) for person in contested]
    return changes + note_conflicts(conflicts=conflicts, now=now)


def _complete_taken(*, claims: Mapping[Person, Claim], taken: Mapping[int, LockedLearner]) -> Collection[Person]:
    """Point people at the learner that their account already is, and return them.

    That learner lacks just what the row gives.
    """
    completed: dict[Person, int] = {}
    for person, claim in claims.items():
        known = taken.get(claim.user_id)
        if known is None or known.id in completed.values():
            continue
        identity = person.identity
        brings_student_key = bool(identity.student_key_normalized) and not known.student_key_normalized
        brings_email = bool(identity.email_normalized) and not known.email_normalized
        disagrees = (identity.student_key_normalized and not brings_student_key) or (
            identity.email_normalized and not brings_email and identity.email_normalized != known.email_normalized
        )
        if (brings_student_key or brings_email) and not disagrees:
            completed[person] = known.id
    locked = {learner.id: learner for learner in lock_learners(ids=completed.values())}
    for person, learner_id in completed.items():
        if locked.get(learner_id) != taken[claims[person].user_id]:
            raise CrossedByAnother
        person.learner, person.claim, person.adds = locked[learner_id], None, True
    return completed.keys()


def _insert_learners(*, school_id: int, rows: Mapping[Person, tuple[Any, ...]], now: datetime) -> dict[Person, int]:
    """Insert learners and return their IDs by person.

    Sorted, so that two writers of the same new learners meet in one order.
    """

    def order(person: Person) -> tuple[str, str]:
        return person.identity.student_key_normalized, person.identity.email_normalized

    if not rows:
        return {}
    wanted = {order(person): person for person in sorted(rows, key=order)}
    identity_fields = ("id", "student_key_normalized", "email_normalized")
    answer = insert_rows(
        Learner,
        fields=NEW_LEARNER_FIELDS,
        rows=[rows[person] for person in wanted.values()],
        ignore_conflicts=True,
        returning=identity_fields,
    )
    if not answer:
        # MySQL does not answer. Only rows of this very call count: others' may be linked or named otherwise.
        emails = [email for student_key, email in wanted if not student_key]
        student_keys = [student_key for student_key, _ in wanted if student_key]
        ids = find_learner_ids(school_id=school_id, student_keys=student_keys, emails=emails)
        made_now = Learner.objects.filter(pk__among=ids, created=now)
        answer = list(made_now.order_by("pk").select_for_update().values_list(*identity_fields))
    made = {wanted[(key or "", email or "")]: pk for pk, key, email in answer if (key or "", email or "") in wanted}
    if len(made) != len(wanted):
        raise CrossedByAnother
    return made
