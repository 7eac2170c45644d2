"""Accounts are deleted, through every path there is, while their universities write, rename and release, and while
their owners sign on: all on connections of their own.

Nobody's request fails, no account gets another person's place, and afterwards nothing contradicts anything.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from demo_lms.models import CourseEnrollment
from demo_lms.models.primary import rows_of
from program_enrollments import api
from program_enrollments.api.ledger import record_changes
from program_enrollments.data import (
    Change,
    ChangeKind,
    CourseEnrollmentRequest,
    Origin,
    ProgramEnrollmentRequest,
    Seat,
    SignOnRefusal,
    Source,
    Verb,
)
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.host import get_host
from program_enrollments.models import CourseRun, IdentityProvider, Learner, Program
from tests.factories.accounts import MODEL, asserted_address, make_account
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.flows.test_writes_cross_sign_ins import run_together
from tests.invariants import find_violations

STUDENTS = 12
ROUNDS = 6
ORIGIN = Origin(source=Source.API.value)

pytestmark = pytest.mark.django_db(transaction=True)


class Person(MODEL):
    """An account, as an app of the host may call it."""

    class Meta:
        proxy = True
        app_label = "demo_lms"


class Campus:
    """A school with two programs' worth of writing to do for the same few students."""

    def __init__(self, key: str) -> None:
        self._numbers = count()
        self.school = SchoolFactory(key=key)
        self.provider: IdentityProvider = IdentityProviderFactory(school=self.school, slug=key)
        curriculum = CurriculumFactory(program__school=self.school)
        self.program: Program = curriculum.program
        self.course_run: CourseRun = CourseRunFactory(curricula=[curriculum])

    def write(self, keys: list[str], *, status: str = "active") -> None:
        rows = [ProgramEnrollmentRequest(key, key, "", "enrolled") for key in keys]
        words = {
            outcome.word
            for outcome in api.write_program_enrollments(
                program=self.program, rows=rows, verb=Verb.UPSERT, origin=ORIGIN
            )
        }
        assert words == {"enrolled"}
        outcomes = api.write_course_enrollments(
            program=self.program,
            course_run=self.course_run,
            rows=[CourseEnrollmentRequest(key, key, "", status) for key in keys],
            verb=Verb.UPSERT,
            origin=ORIGIN,
        )
        assert {outcome.word for outcome in outcomes} <= {status, "not-in-program"}

    def sign_on(self, key: str) -> Any | None:
        """Sign a student on; None if their account is being deleted at this moment. Nothing else may go wrong."""
        # Another address each time: IDs change hands here, and no two people have one address.
        email = asserted_address(remote_id=f"{key}-{next(self._numbers)}", slug=self.provider.slug)
        identity = api.AssertedIdentity(school_id=self.school.pk, slug=self.provider.slug, remote_id=key, email=email)
        try:
            opened = api.open_account(backend="tpa-saml", identity=identity, assertion=None, now=timezone.now())
        except SignOnRefused as refused:
            if refused.code != SignOnRefusal.ACCOUNT_GONE:
                raise
            return None
        assert opened is not None
        return opened.user


def delete_instance(pk: int) -> None:
    for user in MODEL._default_manager.filter(pk=pk):
        user.delete()


def delete_queryset(pk: int) -> None:
    MODEL._default_manager.filter(pk=pk).delete()


def delete_proxy(pk: int) -> None:
    for person in rows_of(Person).filter(pk=pk):
        person.delete()


def delete_proxy_queryset(pk: int) -> None:
    Person.objects.filter(pk=pk).delete()


PATHS: list[Callable[[int], None]] = [delete_instance, delete_queryset, delete_proxy, delete_proxy_queryset]
by_path = pytest.mark.parametrize("delete", PATHS, ids=lambda path: path.__name__)


def delete_at_random(path: Callable[[int], None], seed: int) -> None:
    order = random.Random(seed)
    for _ in range(ROUNDS * 2):
        ids = list(MODEL._default_manager.values_list("pk", flat=True))
        if ids:
            chosen = order.choice(ids)
            path(chosen)
            assert not MODEL._default_manager.filter(pk=chosen).exists(), "a deletion deletes"


def sign_on_at_random(campus: Campus, keys: list[str], seed: int) -> None:
    order = random.Random(seed)
    for _ in range(ROUNDS * 3):
        campus.sign_on(order.choice(keys))


def write_at_random(campus: Campus, keys: list[str], seed: int) -> None:
    order = random.Random(seed)
    for _ in range(ROUNDS):
        campus.write(order.sample(keys, len(keys)), status=order.choice(["active", "active", "inactive"]))


def settle() -> None:
    """Do what the nightly sweep does, once more than needed."""
    api.sweep()
    api.sweep()


@by_path
def test_a_deletion_crosses_a_write_and_a_sign_on(delete: Callable[[int], None]) -> None:
    campus = Campus("uni-a")
    keys = [f"S-{number}" for number in range(STUDENTS)]
    campus.write(keys)
    for key in keys:
        campus.sign_on(key)

    run_together(
        lambda: write_at_random(campus, list(keys), seed=1),
        lambda: sign_on_at_random(campus, keys, seed=2),
        lambda: delete_at_random(delete, seed=3),
        lambda: delete_at_random(delete, seed=4),
    )

    assert find_violations() == [], "before any sweep"
    settle()
    assert find_violations() == []
    assert Learner.objects.count() == STUDENTS


def test_everything_crosses_everything() -> None:
    campus, other = Campus("uni-a"), Campus("uni-b")
    keys = [f"S-{number}" for number in range(STUDENTS)]
    for each in (campus, other):
        each.write(keys)
        for key in keys:
            each.sign_on(key)

    def rename(seed: int) -> None:
        order = random.Random(seed)
        for number in range(ROUNDS * 2):
            one = order.choice(keys)
            renamings = [api.Renaming(one, f"T-{number}"), api.Renaming(f"T-{number - 1}", one)]
            api.rename_students(provider=campus.provider, renamings=renamings[:1], origin=ORIGIN)
            api.rename_students(provider=campus.provider, renamings=renamings[1:], origin=ORIGIN)

    def release(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(ROUNDS):
            api.release_student_keys(school=campus.school, student_keys=[order.choice(keys)], origin=ORIGIN)

    run_together(
        lambda: write_at_random(campus, list(keys), seed=1),
        lambda: write_at_random(other, list(keys), seed=2),
        lambda: sign_on_at_random(campus, keys, seed=3),
        lambda: rename(seed=4),
        lambda: release(seed=5),
        lambda: delete_at_random(delete_proxy, seed=6),
        lambda: delete_at_random(delete_queryset, seed=7),
    )

    assert find_violations() == [], "before any sweep"
    settle()
    assert find_violations() == []


@pytest.mark.only_on("mariadb")
@pytest.mark.parametrize("delete", [delete_instance, delete_queryset], ids=lambda path: path.__name__)
def test_a_deletion_that_waits_for_the_writer_of_a_neighboring_seat_does_not_stand_in_its_way(
    delete: Callable[[int], None],
) -> None:
    """InnoDB locks the entry behind a new one where that may already exist: here, the seat of who is deleted."""
    campus = Campus("uni-a")
    campus.write(["S-1", "S-2"])
    first, second = campus.sign_on("S-1"), campus.sign_on("S-2")
    assert first is not None
    assert second is not None
    rows_of(CourseEnrollment).filter(user=first.pk).delete()
    learner = Learner.objects.get(student_key="S-1")
    before, after = "ended", "enrolled"
    first_id, second_id = first.pk, second.pk
    seated, waiting = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            get_host().course_enrollments.put_seats(
                seats=[Seat(first_id, campus.course_run.course_id, "masters", is_active=True)]
            )
            seated.set()
            assert waiting.wait(timeout=60), "the deletion waits for nothing: the test shows nothing"
            record_changes(
                changes=[Change(campus.program.pk, learner.pk, "S-1", ChangeKind.PROGRAM_ENROLLMENT, before, after)],
                origin=ORIGIN,
                now=timezone.now(),
            )

    def take_away() -> None:
        assert seated.wait(timeout=60)
        delete(second_id)

    def watch() -> None:
        until = time.monotonic() + 60
        is_mariadb = getattr(connection, "mysql_is_mariadb", False)
        table = "information_schema.innodb_lock_waits" if is_mariadb else "performance_schema.data_lock_waits"
        while not waiting.is_set() and time.monotonic() < until:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT COUNT(*) FROM {table}")
                if cursor.fetchone()[0]:
                    waiting.set()
            # InnoDB makes this table anew only if nobody has read it for 100 ms.
            time.sleep(0.2)

    run_together(write, take_away, watch)

    assert not MODEL._default_manager.filter(pk=second_id).exists()
    assert find_violations() == []


def test_two_schools_that_take_one_person_out_at_the_same_moment_take_the_seat() -> None:
    """Each would otherwise see that the other still wants the seat."""
    one, other = Campus("uni-a"), Campus("uni-b")
    shared = CourseRunFactory(curricula=[*one.program.curricula.all(), *other.program.curricula.all()])
    one.course_run = other.course_run = shared
    keys = [f"S-{number}" for number in range(STUDENTS)]
    users = [make_account(username=key) for key in keys]
    for campus in (one, other):
        campus.write(keys)
        for key, user in zip(keys, users, strict=True):
            learner = Learner.objects.get(school=campus.school, student_key=key)
            api.link_learner(learner_id=learner.pk, user_id=user.pk, origin=ORIGIN)

    for _ in range(ROUNDS):
        for campus in (one, other):
            campus.write(keys)
        assert rows_of(CourseEnrollment).filter(is_active=True).count() == STUDENTS
        run_together(
            lambda: one.write(list(keys), status="inactive"), lambda: other.write(list(keys), status="inactive")
        )
        assert not rows_of(CourseEnrollment).filter(is_active=True).exists()
    assert find_violations() == []
