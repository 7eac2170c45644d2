"""The enrollments of one account, in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max, Min

from program_enrollments.api.dashboard.learning import Learning
from program_enrollments.api.dashboard.records import OVER_STATUSES, CourseGroup, OwnCourse, OwnProgram
from program_enrollments.conf import get_setting
from program_enrollments.data import LEAVING_STATUSES, ChangeKind, CourseStatus, LearnerProblem, ProgramStatus
from program_enrollments.document_links import read_document_links
from program_enrollments.models import (
    CourseRun,
    CurriculumCourseRun,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)

GROUPS = list(CourseGroup)


class Place(NamedTuple):
    """A course enrollment: the run, its status, and the seat's problem if the platform refused it."""

    run: CourseRun
    status: str
    reference: str = ""
    is_given_up: bool = False


class Enrollments(NamedTuple):
    """What the tables have of the learners of one account."""

    programs: Sequence[ProgramEnrollment]
    places: Mapping[tuple[int, int], Mapping[int, Place]]
    """Per program and learner, by course run."""
    planned: Mapping[int, Sequence[CourseRun]]
    """The course runs of each curriculum."""
    since: Mapping[tuple[int, int], Mapping[str, tuple[datetime, datetime]]]
    """Per program and learner: by status, when it was first and last given."""

    @property
    def course_ids(self) -> set[str]:
        """The keys of all course runs that the learner has been enrolled in."""
        return {place.run.course_id for places in self.places.values() for place in places.values()}


def fetch_own_learners(*, user_id: int) -> list[Learner]:
    """Return the learners that the account is linked to, with their schools. One statement."""
    return list(Learner.objects.filter(user_id=user_id).select_related("school").order_by("pk"))


def fetch_enrollments(*, learners: Collection[Learner], program_uuid: Any = None) -> Enrollments:
    """Return the enrollments of these learners, of one program alone if it is named. Five statements."""
    ids = [learner.pk for learner in learners]
    programs = ProgramEnrollment.objects.filter(learner__in=ids).select_related("program__school")
    if program_uuid is not None:
        programs = programs.filter(program__uuid=program_uuid)
    found = list(programs.order_by("pk"))
    schools = {learner.pk: learner for learner in learners}
    for enrollment in found:
        enrollment.learner = schools[enrollment.learner_id]
    program_ids = {enrollment.program_id for enrollment in found}
    return Enrollments(
        found,
        _fetch_places(ids, program_ids),
        _fetch_planned({enrollment.curriculum_id for enrollment in found}),
        _fetch_since(ids, program_ids),
    )


def _fetch_places(learner_ids: Sequence[int], program_ids: Collection[int]) -> dict[tuple[int, int], dict[int, Place]]:
    places: dict[tuple[int, int], dict[int, Place]] = defaultdict(dict)
    where = {"learner__in": learner_ids, "program__in": program_ids}
    for row in ProgramCourseEnrollment.objects.filter(**where).select_related("course_run"):
        places[row.program_id, row.learner_id][row.course_run_id] = Place(row.course_run, row.status)
    most = get_setting("MAX_TRIES")
    for refused in PreemptiveCourseEnrollment.objects.filter(**where).select_related("course_run"):
        # Without a problem, it only waits for the rest of a sign-in.
        reference = f"{refused.learner_id}-{refused.pk}" if refused.problem_code else ""
        places[refused.program_id, refused.learner_id].setdefault(
            refused.course_run_id, Place(refused.course_run, refused.status, reference, refused.refusals >= most)
        )
    return places


def _fetch_planned(curriculum_ids: Collection[int]) -> dict[int, list[CourseRun]]:
    planned: dict[int, list[CourseRun]] = defaultdict(list)
    for row in CurriculumCourseRun.objects.filter(curriculum__in=curriculum_ids).select_related("course_run"):
        planned[row.curriculum_id].append(row.course_run)
    return planned


def _fetch_since(
    learner_ids: Sequence[int], program_ids: Collection[int]
) -> dict[tuple[int, int], dict[str, tuple[datetime, datetime]]]:
    since: dict[tuple[int, int], dict[str, tuple[datetime, datetime]]] = defaultdict(dict)
    # Found by learner alone: a program's part of the ledger is long.
    rows = (
        LedgerEntry.objects.filter(learner__in=learner_ids, kind=ChangeKind.PROGRAM_ENROLLMENT)
        .order_by()
        .values_list("program_id", "learner_id", "after")
        .annotate(first=Min("at"), last=Max("at"))
    )
    for program_id, learner_id, status, first, last in rows:
        if program_id in program_ids and status:
            since[program_id, learner_id][status] = (first, last)
    return since


def describe_program(
    *, enrollment: ProgramEnrollment, enrollments: Enrollments, learning: Learning, now: datetime
) -> OwnProgram:
    """Return a program as pages show it."""
    program, learner = enrollment.program, enrollment.learner
    pair = (enrollment.program_id, enrollment.learner_id)
    given = enrollments.since.get(pair, {})
    documents = [*read_document_links(program.documents), *read_document_links(program.school.documents)]
    return OwnProgram(
        enrollment_id=enrollment.pk,
        learner_id=learner.pk,
        uuid=program.uuid,
        title=program.title,
        type=program.type,
        url=program.url,
        school=program.school,
        status=enrollment.status,
        since=given[enrollment.status][1] if enrollment.status in given else enrollment.modified,
        enrolled_at=min((first for first, _last in given.values()), default=enrollment.created),
        student_key=learner.display_key,
        advisor_name=program.advisor_name or program.advisor_email,
        advisor_email=program.advisor_email,
        documents=tuple(documents),
        courses=tuple(
            _describe_courses(
                places=enrollments.places.get(pair, {}),
                planned=enrollments.planned.get(enrollment.curriculum_id, ()),
                status=enrollment.status,
                learning=learning,
                now=now,
            )
        ),
        is_claimed=learner.problem_code == LearnerProblem.CONFLICT,
    )


def _describe_courses(
    *, places: Mapping[int, Place], planned: Iterable[CourseRun], status: str, learning: Learning, now: datetime
) -> list[OwnCourse]:
    has_left = status in LEAVING_STATUSES
    courses = [_describe_course(place, learning=learning, program_status=status, now=now) for place in places.values()]
    if not has_left:
        courses += [
            OwnCourse(
                course_id=run.course_id,
                title=run.title or run.course_id,
                start=run.start,
                end=run.end,
                group=CourseGroup.LATER.value,
            )
            for run in planned
            if run.pk not in places and not (run.end and run.end <= now)
        ]
    return sorted(courses, key=_order)


def _order(course: OwnCourse) -> tuple[int, bool, float, str]:
    start = course.start.timestamp() if course.start else 0.0
    # What was done last is remembered best.
    newest_first = course.group in {CourseGroup.DONE, CourseGroup.CLOSED}
    return (
        GROUPS.index(CourseGroup(course.group)),
        course.start is None,
        -start if newest_first else start,
        course.title,
    )


def _describe_course(place: Place, *, learning: Learning, program_status: str, now: datetime) -> OwnCourse:
    run, key = place.run, place.run.course_id
    group = find_group(status=place.status, start=run.start, end=run.end, program_status=program_status, now=now)
    return OwnCourse(
        course_id=key,
        title=run.title or key,
        url=run.url,
        start=run.start,
        end=run.end,
        status=place.status,
        group=group.value,
        is_of_enrolled=program_status == ProgramStatus.ENROLLED,
        is_refused=bool(place.reference) and place.status == CourseStatus.ACTIVE,
        is_given_up=place.is_given_up,
        reference=place.reference,
        progress=learning.progress.get(key),
        grade=learning.grades.get(key),
        resume_url=learning.resume_links.get(key, ""),
        due=learning.due_dates.get(key),
        certificate_url=learning.certificates.get(key, ""),
    )


def find_group(
    *, status: str, start: datetime | None, end: datetime | None, program_status: str, now: datetime
) -> CourseGroup:
    """Return where a course run stands for a learner who has been enrolled in it.

    Leaving a program may close its courses, also those that had ended long before: these stay done.
    """
    has_left, is_over = program_status in LEAVING_STATUSES, program_status in OVER_STATUSES
    if end is not None and end <= now and (status == CourseStatus.ACTIVE or has_left):
        return CourseGroup.DONE
    if status != CourseStatus.ACTIVE or is_over:
        return CourseGroup.CLOSED
    return CourseGroup.COMING if start is not None and start > now else CourseGroup.NOW
