"""What rows would change of known learners' identities, and what of that must not be written just so.

A new address for a learner who has an account, but is in no program of the school, may mean that the ID was given to
somebody else. An identity decides who gets the learner's enrollments, so it takes a grant on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from program_enrollments.api.access import Reach
from program_enrollments.api.learners.locks import Identified, LockedLearner
from program_enrollments.api.learners.student_keys import find_vacant
from program_enrollments.data import PRESENT_STATUSES, LearnerProblem
from program_enrollments.models import Learner, PreemptiveProgramEnrollment, ProgramEnrollment


def review_identity_changes(*, identified: Identified, reach: Callable[[], Reach] | None) -> dict[int, str]:
    """Take from `identified` the changes that must not be written.

    Return the learners in question and the addresses.

    `reach` returns on which part of the school the caller may write enrollments, None for all of it; it is called only
    if a row changes an identity of a known learner. A row whose change is left out for want of a grant is written
    otherwise, and its detail says so; one whose student ID may be somebody else's now is invalid.
    """
    if not identified.completions:
        return {}
    _refuse_occupied(identified)
    in_question = _find_in_question(identified)
    if reach is not None and identified.completions and not (part := reach()).is_school_wide:
        _leave_out_ungranted(identified, part.program_ids)
    return in_question


def _refuse_occupied(identified: Identified) -> None:
    """Refuse rows that add an ID which somebody else has meanwhile."""
    if not identified.absorbed:
        return
    vacant = find_vacant(learners=identified.absorbed.values())
    for number, learner in list(identified.absorbed.items()):
        if learner.id not in vacant:
            _refuse(identified, number)


def _refuse(identified: Identified, number: int, detail: str = "") -> None:
    identified.invalid.add(number)
    identified.completions.pop(number, None)
    identified.absorbed.pop(number, None)
    if detail:
        identified.details[number] = detail


def _find_in_question(identified: Identified) -> dict[int, str]:
    replaced = {
        number: learner
        for number, identity in identified.completions.items()
        if (learner := identified.learner(number)).user_id is not None
        and learner.email_normalized
        and identity.email_normalized not in {"", learner.email_normalized}
    }
    if not replaced:
        return {}
    ids = {learner.id for learner in replaced.values()}
    present = set(
        ProgramEnrollment.objects.filter(learner_id__among=ids, status__in=PRESENT_STATUSES).values_list(
            "learner_id", flat=True
        )
    )
    in_question = {}
    for number, learner in replaced.items():
        if learner.id not in present:
            in_question[learner.id] = identified.completions[number].email
            _refuse(
                identified,
                number,
                _(
                    "This student ID is linked to an account, but in no program of the school, and comes with another "
                    "address. If the ID was given to somebody else, release it first (student_keys/release/); if it is "
                    "the same person, support can take over the address."
                ),
            )
    return in_question


def _leave_out_ungranted(identified: Identified, programs: Collection[int]) -> None:
    known = {number: identified.learner(number) for number in identified.completions}
    outside = _find_outside({learner.id for learner in known.values()}, programs)
    for number, learner in known.items():
        if learner.id in outside:
            identified.completions.pop(number)
            identified.absorbed.pop(number, None)
            identified.details[number] = _(
                "The identity was not changed: the learner is also in a program on which you may not write enrollments."
            )


def _find_outside(learner_ids: Collection[int], programs: Collection[int]) -> set[int]:
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
                problem_detail="The school sent another address for this student ID, which is in no program now.",
                problem_at=now,
                proposed_email=in_question[learner.id],
            )
