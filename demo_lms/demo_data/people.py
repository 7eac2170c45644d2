"""The learners: some have signed in and learned, some still wait for their first sign-in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from social_django.models import UserSocialAuth

from demo_lms.accounts.confirmation import mark_confirmed
from demo_lms.demo_data.catalog import (
    BA101,
    BUSINESS,
    COMPUTER_SCIENCE,
    CS101,
    CS102,
    DATA_SCIENCE,
    DS201,
    PH201,
    PUBLIC_HEALTH,
    SeedCourse,
    SeedProgram,
)
from demo_lms.models import CourseEnrollment, CourseGrade, DailyActivity, EmailAddress
from program_enrollments import api
from program_enrollments.data import (
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    ProgramStatus,
    RowOutcome,
    Source,
    Verb,
)
from program_enrollments.models import CourseRun, Program
from program_enrollments.saml.backend import UniversitySAML

LEARNER_PASSWORD = "learner"


@dataclass(frozen=True, slots=True)
class SeedGrade:
    """A final grade; without percentage its grading isn't finished."""

    course: SeedCourse
    letter: str
    percent: str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class SeedAccount:
    """An account that signed in through a university. `present_every` days it was in its courses; `paid` is a seat it
    bought.
    """

    username: str
    idp: str
    remote_id: str
    email: str
    name: str
    present_every: int = 2
    grades: tuple[SeedGrade, ...] = ()
    paid: SeedCourse | None = None


@dataclass(frozen=True, slots=True)
class SeedEnrollment:
    """A learner's place in a program, by student ID or e-mail, and in its courses; `left` are the inactive ones among
    them.
    """

    program: SeedProgram
    student_key: str = ""
    email: str = ""
    status: str = ProgramStatus.ENROLLED.value
    curriculum: int = 0
    courses: tuple[SeedCourse, ...] = ()
    left: tuple[SeedCourse, ...] = ()
    staff_of: tuple[SeedCourse, ...] = ()


PERSONS = (
    SeedEnrollment(COMPUTER_SCIENCE, "A-1001", courses=(CS101, CS102)),
    SeedEnrollment(DATA_SCIENCE, "A-1001", curriculum=1, courses=(DS201,)),
    SeedEnrollment(COMPUTER_SCIENCE, "A-1002", courses=(CS101,), staff_of=(CS101,)),
    SeedEnrollment(COMPUTER_SCIENCE, "A-1003", courses=(CS101,)),
    SeedEnrollment(COMPUTER_SCIENCE, "A-1004", status=ProgramStatus.SUSPENDED.value, courses=(CS102,), left=(CS102,)),
    SeedEnrollment(COMPUTER_SCIENCE, "A-1005", courses=(CS101, CS102)),
    SeedEnrollment(DATA_SCIENCE, "A-1006", status=ProgramStatus.PENDING.value, courses=(DS201,)),
    SeedEnrollment(COMPUTER_SCIENCE, email="robin@uni-a.example", courses=(CS101,)),
    SeedEnrollment(BUSINESS, "B-2001", courses=(BA101,)),
    SeedEnrollment(PUBLIC_HEALTH, "B-2002", curriculum=1, courses=(PH201, BA101)),
    # Whom the universities' identity providers can sign in (see demo_lms.idp.people).
    SeedEnrollment(COMPUTER_SCIENCE, "student1", courses=(CS101, CS102)),
    SeedEnrollment(DATA_SCIENCE, "student1", curriculum=1, courses=(DS201,)),
    SeedEnrollment(COMPUTER_SCIENCE, "student2", courses=(CS101,)),
    SeedEnrollment(COMPUTER_SCIENCE, email="student3@uni-a.example", courses=(CS102,)),
    SeedEnrollment(BUSINESS, "student1", courses=(BA101,)),
    SeedEnrollment(PUBLIC_HEALTH, "student2", curriculum=1, courses=(PH201,)),
    # The same student ID as at the other university: another person.
    SeedEnrollment(BUSINESS, "A-1001", courses=(BA101,)),
)

COHORTS = (
    # None of them has signed in yet. A file that leaves most of them out removes enough to be held by the guard.
    *(SeedEnrollment(DATA_SCIENCE, f"A-{number}", curriculum=1, courses=(DS201,)) for number in range(3001, 3041)),
    *(SeedEnrollment(PUBLIC_HEALTH, f"B-{number}", curriculum=1, courses=(PH201,)) for number in range(3001, 3041)),
)
ENROLLMENTS = (*PERSONS, *COHORTS)

ACCOUNTS = (
    SeedAccount(
        "alex",
        "uni-a",
        "A-1001",
        "alex@uni-a.example",
        "Alex Example",
        present_every=1,
        grades=(SeedGrade(CS101, "A", "0.94", passed=True), SeedGrade(CS102, "B", "0.815", passed=True)),
    ),
    SeedAccount("billie", "uni-a", "A-1002", "billie@uni-a.example", "Billie Example", present_every=5),
    SeedAccount(
        "charlie",
        "uni-a",
        "A-1003",
        "charlie@uni-a.example",
        "Charlie Example",
        present_every=3,
        grades=(SeedGrade(CS101, "", None, passed=False),),
        paid=CS101,
    ),
    SeedAccount("dana", "uni-a", "A-1004", "dana@uni-a.example", "Dana Example", present_every=30),
    SeedAccount(
        "emery",
        "uni-b",
        "B-2001",
        "emery@uni-b.example",
        "Emery Example",
        grades=(SeedGrade(BA101, "F", "0.31", passed=False),),
    ),
)


def seed_people(*, now: datetime) -> None:
    """Enroll the learners first and let some of them sign in afterwards, as it happens at a university."""
    _enroll()
    password = make_password(LEARNER_PASSWORD)
    for account in ACCOUNTS:
        user = _seed_account(account, password=password, now=now)
        _seed_learning(account, user=user, now=now)


def _enroll() -> None:
    origin = Origin(source=Source.COMMAND.value, reason="Demo data")
    for program_seed in _unique(one.program for one in ENROLLMENTS):
        program = Program.objects.get(uuid=program_seed.uuid)
        members = [one for one in ENROLLMENTS if one.program is program_seed]
        _check(
            api.write_program_enrollments(
                program=program, rows=[_program_row(one) for one in members], verb=Verb.UPSERT, origin=origin
            )
        )
        for course in _unique(course for one in members for course in one.courses):
            rows = [_course_row(one, course) for one in members if course in one.courses]
            run = CourseRun.objects.get(course_id=course.course_id)
            _check(
                api.write_course_enrollments(
                    program=program, course_run=run, rows=rows, verb=Verb.UPSERT, origin=origin
                )
            )


Seed = TypeVar("Seed", SeedProgram, SeedCourse)


def _unique(seeds: Iterable[Seed]) -> Sequence[Seed]:
    return list(dict.fromkeys(seeds))


def _program_row(one: SeedEnrollment) -> ProgramEnrollmentRequest:
    key = one.student_key or one.email
    uuid = one.program.curricula[one.curriculum].uuid
    return ProgramEnrollmentRequest(key, one.student_key, one.email, one.status, uuid)


def _course_row(one: SeedEnrollment, course: SeedCourse) -> CourseEnrollmentRequest:
    status = "inactive" if course in one.left else "active"
    key = one.student_key or one.email
    return CourseEnrollmentRequest(key, one.student_key, one.email, status, course in one.staff_of or None)


def _check(outcomes: Sequence[RowOutcome]) -> None:
    """Raise RuntimeError if a row was refused: then the data above contradicts itself."""
    refused = sorted({outcome.word for outcome in outcomes if not outcome.good})
    if refused:
        raise RuntimeError(f"The demo's own data was refused: {', '.join(refused)}.")


def _seed_account(account: SeedAccount, *, password: str, now: datetime) -> User:
    """Make the account as its first sign-in through the university would, the seat it bought included."""
    first_name, last_name = account.name.split(" ")
    user, made = User.objects.get_or_create(
        username=account.username,
        defaults={
            "email": account.email,
            "first_name": first_name,
            "last_name": last_name,
            "password": password,
        },
    )
    if made:
        mark_confirmed(address=EmailAddress.objects.get(user=user), now=now)
    if account.paid is not None:
        CourseEnrollment.objects.get_or_create(
            user=user, course_run_id=account.paid.course_id, defaults={"mode": "verified"}
        )
    UserSocialAuth.objects.get_or_create(
        provider=UniversitySAML.name, uid=f"{account.idp}:{account.remote_id}", defaults={"user": user}
    )
    return user


def _seed_learning(account: SeedAccount, *, user: User, now: datetime) -> None:
    """Let the account have been in its courses during the last four weeks, and have its grades."""
    for grade in account.grades:
        CourseGrade.objects.get_or_create(
            user=user,
            course_run_id=grade.course.course_id,
            defaults={
                "letter": grade.letter,
                "percent": None if grade.percent is None else Decimal(grade.percent),
                "passed": grade.passed,
            },
        )
    course_ids = CourseEnrollment.objects.filter(user=user, is_active=True).values_list("course_run_id", flat=True)
    for course_id in course_ids:
        if DailyActivity.objects.filter(user=user, course_run=course_id).exists():
            continue
        days = [now.date() - timedelta(days=offset) for offset in range(28, 0, -account.present_every)]
        DailyActivity.objects.bulk_create(
            DailyActivity(user=user, course_run_id=course_id, day=day, units_done=min(10, number // 3))
            for number, day in enumerate(days)
        )
