"""What rows would change of known learners' identities, and what of that must not be written just so.

A new address for a learner who has an account, but is in no program of the school, may mean that the ID was given to
somebody else. An identity decides who gets the learner's enrollments, so it takes a grant on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from program_enrollments.api.access import Reach
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.people import Person
from program_enrollments.api.learners.student_keys import find_vacant
from program_enrollments.data import PRESENT_STATUSES, LearnerProblem
from program_enrollments.models import Learner, PreemptiveProgramEnrollment, ProgramEnrollment


def review_identity_changes(*, people: Collection[Person], reach: Callable[[], Reach] | None) -> dict[int, str]:
    """Take from `people` the changes of identities that must not be written.

    Return the learners in question and the addresses.

    `reach` returns on which part of the school the caller may write enrollments, None for all of it; it is called only
    if an identity of a known learner changes. If a grant is missing, the change is left out, the row is written
    otherwise, and the person's detail says so. A student ID that may be somebody else's now makes the person invalid.
    """
    changing = [person for person in people if person.adds]
    if not changing:
        return {}
    _refuse_occupied(changing)
    in_question = _find_in_question(changing)
    changing = [person for person in changing if person.adds]
    if reach is not None and changing and not (part := reach()).is_school_wide:
        _leave_out_ungranted(changing, part.program_ids)
    return in_question


def _refuse_occupied(changing: Sequence[Person]) -> None:
    """Refuse people who should get an ID that somebody else has meanwhile."""
    absorbing = {person: person.absorbed for person in changing if person.absorbed is not None}
    if not absorbing:
        return
    vacant = find_vacant(learners=absorbing.values())
    for person, learner in absorbing.items():
        if learner.id not in vacant:
            person.refuse()


def _find_in_question(changing: Sequence[Person]) -> dict[int, str]:
    replaced = {
        person.known.id: person for person in changing if person.changes_email and person.known.user_id is not None
    }
    if not replaced:
        return {}
    present = set(
        ProgramEnrollment.objects.filter(learner_id__among=set(replaced), status__in=PRESENT_STATUSES).values_list(
            "learner_id", flat=True
        )
    )
    in_question = {}
    for learner_id, person in replaced.items():
        if learner_id not in present:
            in_question[learner_id] = person.identity.email
            person.refuse(
                _(
                    "This student ID is linked to an account, but in no program of the school, and comes with another "
                    "address. If the ID was given to somebody else, release it first (student_keys/release/); if it is "
                    "the same person, support can take over the address."
                ),
            )
    return in_question


def _leave_out_ungranted(changing: Sequence[Person], programs: Collection[int]) -> None:
    outside = find_outside({person.known.id for person in changing}, programs)
    for person in changing:
        if person.known.id in outside:
            person.adds, person.absorbed = False, None
            person.detail = _(
                "The identity was not changed: the learner is also in a program on which you may not write enrollments."
            )


def find_outside(learner_ids: Collection[int], programs: Collection[int]) -> set[int]:
    """Return those of these learners who are in a program other than `programs`."""
    if not learner_ids:
        return set()
    return {
        learner_id
        for model in (ProgramEnrollment, PreemptiveProgramEnrollment)
        for learner_id in model._default_manager.filter(learner_id__among=set(learner_ids))
        .exclude(program_id__in=programs)
        .values_list("learner_id", flat=True)
    }


def note_in_question(*, in_question: dict[int, str], learners: Iterable[LockedLearner], now: datetime) -> None:
    """Show on learners that their student ID may be another person's now.

    The address that raised the question is shown with it.
    """
    for learner in learners:
        if learner.id in in_question and learner.problem_code in {"", LearnerProblem.POSSIBLY_NEW_PERSON}:
            Learner.objects.filter(pk=learner.id).exclude(proposed_email=in_question[learner.id]).update(
                problem_code=LearnerProblem.POSSIBLY_NEW_PERSON,
                problem_detail=gettext_noop(
                    "The school sent another address for this student ID, which is in no program now."
                ),
                problem_at=now,
                proposed_email=in_question[learner.id],
            )
