"""People: the persons that the rows of a write name, on their way to learners.

A person is made per call from what a row gives, and passes through the stages of a chunk (ADR 0018): identified by a
look without locks, identified again under the lock, completed or made a learner, linked. Each stage writes on it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from program_enrollments.api.learners.claims import Claim
from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import LinkHow


# Most attributes are set for few people, so they are defaults of the class until then.
@dataclass(eq=False)
class Person:
    """Somebody whom rows of a write name.

    - `identity`: what the rows say, checked.
    - `giver`: the person of the same call whose address this one gets; both are written together or not at all.
    - `learner`: who that is, as locked or as just read; None while there is no such learner.
    - `is_valid`: False if the identity cannot be used, or contradicts what is stored.
    - `adds`: the identity adds to what is stored of the learner, or replaces the address.
    - `absorbed`: the vacant row of an ID that this learner gets.
    - `claim`: the account that is to be linked; its row is locked.
    - `is_new`: this very chunk made the learner.
    - `detail`: a sentence for people, where what happened needs one.
    """

    identity: Identity
    giver: Person | None = field(default=None, init=False)
    learner: LockedLearner | None = field(default=None, init=False)
    is_valid: bool = field(default=True, init=False)
    adds: bool = field(default=False, init=False)
    absorbed: LockedLearner | None = field(default=None, init=False)
    claim: Claim | None = field(default=None, init=False)
    is_new: bool = field(default=False, init=False)
    detail: str = field(default="", init=False)

    @property
    def known(self) -> LockedLearner:
        """The learner of a person who has one. Raises LookupError for one who has none."""
        if self.learner is None:
            raise LookupError("This person is no learner yet.")
        return self.learner

    @property
    def changes_email(self) -> bool:
        """Whether the identity replaces an address that is stored."""
        learner, email = self.learner, self.identity.email_normalized
        return bool(self.adds and learner and learner.email_normalized and email not in {"", learner.email_normalized})

    def refuse(self, detail: str = "") -> None:
        """Take the person out of what is to be written, with the reason."""
        self.is_valid, self.adds, self.absorbed = False, False, None
        self.detail = detail or self.detail


def identify(*, people: Iterable[Person], learners: Sequence[LockedLearner]) -> None:
    """Find, for each person, which of `learners` that is, and what the identity adds to it.

    Who contradicts what is stored is not valid afterwards. What earlier stages of the chunk wrote is taken back, but
    for the claim.
    """
    by_student_key = {learner.student_key_normalized: learner for learner in learners if learner.student_key_normalized}
    by_email = {learner.email_normalized: learner for learner in learners if learner.email_normalized}
    for person in people:
        _, student_key, _, email, is_valid = person.identity
        # Reading is cheaper than writing: nearly everybody has the defaults still.
        if not is_valid or not person.is_valid:
            person.is_valid = is_valid
        if person.adds or person.is_new or person.absorbed is not None or person.detail:
            person.adds, person.is_new, person.absorbed, person.detail = False, False, None, ""
        named = by_student_key.get(student_key)
        if not email:
            # Nearly all rows: a student ID alone adds nothing to whom it names.
            person.learner = named
            if named is not None and named.honored_for_id is not None:
                person.is_valid = False
            continue
        _identify_by_email(person, named, by_email.get(email), by_student_key)


def _identify_by_email(
    person: Person,
    named: LockedLearner | None,
    addressed: LockedLearner | None,
    by_student_key: dict[str, LockedLearner],
) -> None:
    """Find who a person is whose rows give an address.

    `named` has the student ID now, `addressed` the address.
    """
    if person.giver is not None and addressed is not None and addressed is not named:
        if not _is_held_by(person.giver, addressed, by_student_key):
            person.learner = named
            person.refuse()
            return
        # The address changes hands: `settle_hand_overs` sees whether it really does.
        addressed = None
    if named is not None and _gives_way(named=named, addressed=addressed):
        # An ID that somebody gave up, for a learner who is known by address so far.
        person.absorbed, named = named, None
    person.learner = learner = named or addressed
    if learner is None:
        return
    if learner.honored_for_id is not None or _contradicts(person.identity, named=named, addressed=addressed):
        person.is_valid, person.absorbed = False, None
    else:
        person.adds = addressed is None or (bool(person.identity.student_key_normalized) and named is None)


def _is_held_by(giver: Person, learner: LockedLearner, by_student_key: dict[str, LockedLearner]) -> bool:
    return by_student_key.get(giver.identity.student_key_normalized) is learner


def _gives_way(*, named: LockedLearner, addressed: LockedLearner | None) -> bool:
    return (
        named.is_unclaimed
        and addressed is not None
        and addressed.id != named.id
        and not addressed.student_key_normalized
    )


def _contradicts(identity: Identity, *, named: LockedLearner | None, addressed: LockedLearner | None) -> bool:
    if named is not None and addressed is not None:
        return named.id != addressed.id
    if named is None:
        # Known by e-mail alone, so far: a first student ID completes the learner, another one names somebody else.
        return bool(identity.student_key_normalized and addressed and addressed.student_key_normalized)
    replaces = bool(identity.email_normalized and named.email_normalized)
    return replaces and named.user_id is not None and named.link_how == LinkHow.EMAIL


def settle_hand_overs(*, people: Collection[Person], written: Collection[Person]) -> bool:
    """Refuse who should get an address that its holder does not give up; return whether that was anybody.

    `written` are the people with a row that is to be written. Refusing one may keep the next from being written: call
    it again, with what is then left, until nobody is refused.
    """
    refused = [
        person
        for person in people
        if person.giver is not None
        and person.is_valid
        and not (person.giver in written and person.giver.is_valid and person.giver.changes_email)
    ]
    for person in refused:
        person.refuse(
            _(
                "The address is another learner's still: the row that would give that learner a new address was not "
                "written. Correct that row first."
            )
        )
    return bool(refused)
