"""One function per page of the dashboard. Whose data it is comes from the account alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from program_enrollments.api.dashboard.confirmations import Confirmation, write_code
from program_enrollments.api.dashboard.enrollments import (
    Enrollments,
    describe_program,
    fetch_enrollments,
    fetch_own_learners,
)
from program_enrollments.api.dashboard.learning import (
    Learning,
    fetch_keep_account_url,
    fetch_learning,
    is_address_unconfirmed,
)
from program_enrollments.api.dashboard.naming import name_of
from program_enrollments.api.dashboard.records import (
    Dashboard,
    Notice,
    NoticeKind,
    OwnData,
    OwnLearner,
    OwnProgram,
    OwnProgramPage,
)
from program_enrollments.data import PRESENT_STATUSES, LearnerProblem
from program_enrollments.exceptions import ProgramDoesNotExist
from program_enrollments.models import Learner, LinkClaim

PROBLEMS = {
    LearnerProblem.CONFLICT.value: NoticeKind.CLAIMED,
    LearnerProblem.POSSIBLY_NEW_PERSON.value: NoticeKind.IN_QUESTION,
    LearnerProblem.REALIZING_FAILED.value: NoticeKind.UNFINISHED,
}


def fetch_dashboard(*, user: Any, now: datetime) -> Dashboard:
    """Return all programs of the account, present ones first, and the notices for its owner."""
    learners = fetch_own_learners(user_id=user.pk)
    enrollments = fetch_enrollments(learners=learners)
    learning = fetch_learning(user=user, course_ids=enrollments.course_ids, now=now)
    return Dashboard(
        programs=_describe(enrollments, learning=learning, now=now),
        notices=tuple(_fetch_notices(user=user, learners=learners, enrollments=enrollments)),
        keep_account_url=learning.keep_account_url,
        is_partial=learning.is_partial,
    )


def get_own_program(*, user: Any, uuid: UUID, now: datetime) -> OwnProgramPage:
    """Return one program of the account. Raises ProgramDoesNotExist for all others."""
    learners = fetch_own_learners(user_id=user.pk)
    enrollments = fetch_enrollments(learners=learners, program_uuid=uuid)
    if not enrollments.programs:
        raise ProgramDoesNotExist
    learning = fetch_learning(user=user, course_ids=enrollments.course_ids, now=now)
    (program,) = _describe(enrollments, learning=learning, now=now)
    name = name_of(user)
    confirmation = Confirmation(
        enrollment_id=program.enrollment_id, uuid=program.uuid, status=program.status, day=now.date(), name=name
    )
    return OwnProgramPage(
        program=program,
        confirmation_code=write_code(confirmation, user_id=user.pk),
        name=name,
        keep_account_url=learning.keep_account_url,
        is_partial=learning.is_partial,
    )


def fetch_own_data(*, user: Any, now: datetime) -> OwnData:
    """Return what each school has sent about the account's owner, and how the account was linked to it."""
    learners = fetch_own_learners(user_id=user.pk)
    programs = _describe(fetch_enrollments(learners=learners), learning=Learning(), now=now)
    return OwnData(
        tuple(
            OwnLearner(
                learner.school,
                learner.student_key,
                learner.email,
                learner.link_how,
                learner.linked_at,
                tuple(program for program in programs if program.learner_id == learner.pk),
            )
            for learner in learners
        ),
        fetch_keep_account_url(user=user),
    )


def fetch_own_course_keys(*, user: Any) -> set[str]:
    """Return the keys of all course runs that the account has been enrolled in through a program."""
    learners = fetch_own_learners(user_id=user.pk)
    return fetch_enrollments(learners=learners).course_ids


def _describe(enrollments: Enrollments, *, learning: Learning, now: datetime) -> tuple[OwnProgram, ...]:
    programs = [
        describe_program(enrollment=enrollment, enrollments=enrollments, learning=learning, now=now)
        for enrollment in enrollments.programs
    ]
    return tuple(sorted(programs, key=lambda program: (program.status not in PRESENT_STATUSES, program.title)))


def _fetch_notices(*, user: Any, learners: Sequence[Learner], enrollments: Enrollments) -> list[Notice]:
    """Return the notices of an account. At most one statement, and one call of the host."""
    claims = LinkClaim.objects.filter(user_id=user.pk, is_open=True).select_related("learner__school").order_by("pk")
    notices = [
        Notice(NoticeKind.DISPUTED.value, claim.learner.school, claim.at, reference=str(claim.learner_id))
        for claim in claims
        if claim.learner.user_id != user.pk
    ]
    enrolled = {enrollment.learner_id for enrollment in enrollments.programs}
    for learner in learners:
        kind = PROBLEMS.get(learner.problem_code)
        if kind is not None:
            notices.append(Notice(kind.value, learner.school, learner.problem_at, reference=str(learner.pk)))
        elif learner.pk not in enrolled:
            notices.append(
                Notice(
                    NoticeKind.NOTHING_ENROLLED.value,
                    learner.school,
                    learner.linked_at,
                    name=learner.display_key,
                )
            )
    # Asked also of those who are enrolled somewhere: another university may know them by this address.
    if is_address_unconfirmed(user=user):
        address = str(getattr(user, get_user_model().get_email_field_name()))
        notices.append(Notice(NoticeKind.UNCONFIRMED.value, name=address))
    if not learners and not notices:
        notices.append(Notice(NoticeKind.UNKNOWN.value, name=user.get_username()))
    return notices
