"""A university writes enrollments while its students sign in, over and over, on connections of their own.

Whatever crosses whatever: afterwards every learner is linked, every enrollment exists once, nothing waits, and the
host agrees.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction
from social_django.models import UserSocialAuth

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.data import (
    ChangeKind,
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    Source,
    Verb,
)
from program_enrollments.models import (
    CourseRun,
    Curriculum,
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.factories.accounts import make_account
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.factories.host import confirm_email

STUDENTS = 30
ROUNDS = 4
ORIGIN = Origin(source=Source.API.value)

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def own_connection() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()


def run_together(*works: Callable[[], None]) -> None:
    """Run each of `works` in a thread, all starting at once; fail with what any of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with own_connection():
            try:
                start.wait(timeout=120)
                work()
            except BaseException as error:  # noqa: BLE001  (a thread cannot raise into the test)
                errors.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "a writer or a sign-in hangs"
    if errors:
        raise errors[0]


def by_id(number: int) -> ProgramEnrollmentRequest:
    return ProgramEnrollmentRequest(f"S-{number}", f"S-{number}", "", "enrolled")


def by_email(number: int) -> ProgramEnrollmentRequest:
    address = f"s{number}@uni-a.example"
    return ProgramEnrollmentRequest(address, "", address, "enrolled")


def sis(curriculum: Curriculum, course_run: CourseRun, rows: list[ProgramEnrollmentRequest], seed: int) -> None:
    """Write the same desired state again and again, in another order each time."""
    order = random.Random(seed)
    for _ in range(ROUNDS):
        order.shuffle(rows)
        outcomes = api.write_program_enrollments(program=curriculum.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN)
        assert {outcome.word for outcome in outcomes} == {"enrolled"}
        course_rows = [CourseEnrollmentRequest(row.key, row.student_key, row.email, "active") for row in rows]
        outcomes = api.write_course_enrollments(
            program=curriculum.program,
            course_run=course_run,
            rows=course_rows,
            verb=Verb.UPSERT,
            origin=ORIGIN,
        )
        assert {outcome.word for outcome in outcomes} == {"active"}


def sign_on(numbers: list[int], seed: int) -> None:
    """Sign students on, then once more: account and identity in one transaction, as social-auth does."""
    order = random.Random(seed)
    order.shuffle(numbers)
    for number in numbers:
        with transaction.atomic():
            user = make_account(username=f"student-{number}")
            identity = UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid=f"uni-a:s-{number}")
        identity.save()


def confirm(numbers: list[int], seed: int) -> None:
    """Let accounts confirm the addresses the university may be writing at this moment."""
    order = random.Random(seed)
    order.shuffle(numbers)
    for number in numbers:
        user = make_account(username=f"mail-{number}", email=f"s{number}@uni-a.example")
        confirm_email(user)
        api.email_confirmed(user_id=user.pk)


def test_nothing_is_lost_doubled_or_left_waiting() -> None:
    school = SchoolFactory(key="uni-a")
    IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    course_run = CourseRunFactory(curricula=[curriculum])
    named, addressed = list(range(STUDENTS)), list(range(STUDENTS, 2 * STUDENTS))
    rows = [by_id(number) for number in named] + [by_email(number) for number in addressed]

    run_together(
        lambda: sis(curriculum, course_run, list(rows), seed=1),
        lambda: sis(curriculum, course_run, list(rows), seed=2),
        lambda: sign_on(named[: STUDENTS // 2], seed=3),
        lambda: sign_on(named[STUDENTS // 2 :], seed=4),
        lambda: confirm(addressed, seed=5),
    )

    learners = Learner.objects.select_related("user")
    assert learners.count() == 2 * STUDENTS
    assert not learners.filter(user=None).exists()
    assert not learners.exclude(problem_code="").exists()
    for learner in learners:
        assert learner.user is not None
        number = learner.student_key[2:] or learner.email[1:].partition("@")[0]
        assert learner.user.get_username().partition("@")[0].partition("-")[2] == number, "everybody is who they are"
    assert not PreemptiveProgramEnrollment.objects.exists()
    assert not PreemptiveCourseEnrollment.objects.exists()
    assert ProgramEnrollment.objects.filter(status="enrolled").count() == 2 * STUDENTS
    assert ProgramCourseEnrollment.objects.filter(status="active").count() == 2 * STUDENTS
    seats = rows_of(CourseEnrollment).filter(mode="masters", is_active=True)
    assert sorted(seats.values_list("user_id", flat=True)) == sorted(learners.values_list("user_id", flat=True))


def test_the_ledger_has_every_change_once_and_in_order() -> None:
    school = SchoolFactory(key="uni-a")
    IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    course_run = CourseRunFactory(curricula=[curriculum])
    named = list(range(STUDENTS))

    run_together(
        lambda: sis(curriculum, course_run, [by_id(number) for number in named], seed=1),
        lambda: sis(curriculum, course_run, [by_id(number) for number in named], seed=2),
        lambda: sign_on(list(named), seed=3),
    )

    entries = LedgerEntry.objects.filter(program=curriculum.program)
    assert list(entries.order_by("position").values_list("position", flat=True)) == list(range(1, entries.count() + 1))
    for learner in Learner.objects.all():
        story = list(entries.filter(learner=learner).order_by("position").values_list("kind", flat=True))
        assert story.count(ChangeKind.PROGRAM_ENROLLMENT) == 1
        assert story.count(ChangeKind.COURSE_ENROLLMENT) == 1
        assert story.count(ChangeKind.PROGRAM_REALIZED) <= 1
        assert story[0] == ChangeKind.PROGRAM_ENROLLMENT
