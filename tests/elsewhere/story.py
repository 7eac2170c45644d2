"""What the app promises of transactions, told of the database that routers name. Prints `done` at its end."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import django

django.setup()

# What follows needs the settings.
from django.core.management import call_command  # noqa: E402
from django.db import connections, transaction  # noqa: E402

from demo_lms.models import CourseEnrollment  # noqa: E402
from program_enrollments import api  # noqa: E402
from program_enrollments.api.transactions import (  # noqa: E402
    CrossedByAnother,
    atomic,
    in_transaction,
    is_lost,
    rehearse,
    roll_back,
)
from program_enrollments.data import Verb  # noqa: E402
from program_enrollments.models import (  # noqa: E402
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
    School,
)
from tests.api.conftest import ORIGIN, World, program_row, words  # noqa: E402
from tests.factories.enrollment import (  # noqa: E402
    CourseRunFactory,
    CurriculumFactory,
    IdentityProviderFactory,
    SchoolFactory,
)


def make_world() -> World:
    school = SchoolFactory(key="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    return World(
        school=school,
        provider=IdentityProviderFactory(school=school, slug="uni-a"),
        curriculum=curriculum,
        course_run=CourseRunFactory(curricula=[curriculum]),
        run_callbacks=lambda execute: nullcontext(),  # everything commits here
    )


def a_promise_becomes_a_seat(world: World) -> None:
    assert world.write_program(("S-1", "enrolled"), ("S-2", "enrolled")) == {"S-1": "enrolled", "S-2": "enrolled"}
    assert world.write_course(("S-1", "active", True)) == {"S-1": "active"}
    assert PreemptiveCourseEnrollment.objects.count() == 1
    account = world.sign_on("S-1")
    assert Learner.objects.get(user=account).student_key == "S-1"
    assert ProgramCourseEnrollment.objects.get().status == "active"
    assert CourseEnrollment.objects.get().user_id == account.pk
    assert world.write_program(("S-1", "canceled"), cascade=True) == {"S-1": "canceled"}
    assert not CourseEnrollment.objects.get().is_active
    page = api.fetch_changes(program=world.program, after=None, page_size=100)
    assert len(page.rows) == LedgerEntry.objects.exclude(program=None).count() > 3


def a_rehearsal_is_taken_back(world: World) -> None:
    before = LedgerEntry.objects.count()
    rows = [program_row("S-9", "enrolled")]
    options: dict[str, Any] = {"verb": Verb.UPSERT, "origin": ORIGIN}
    tried = api.write_program_enrollments(program=world.program, rows=rows, dry_run=True, **options)
    assert words(tried) == {"S-9": "enrolled"}
    assert rehearse(lambda: School.objects.update(name="another")) == 1
    assert LedgerEntry.objects.count() == before
    assert not Learner.objects.filter(student_key="S-9").exists()
    assert not School.objects.filter(name="another").exists()


def a_crossing_starts_the_transaction_anew() -> None:
    connection = connections["ours"]
    seen: list[tuple[str, object]] = []

    def work() -> int:
        assert connection.in_atomic_block
        transaction.on_commit(lambda: seen.append(("the host", connection.in_atomic_block)), using="ours")
        api.after_commit(lambda: seen.append(("followed", connection.in_atomic_block)))
        School.objects.update(name=f"try {len(seen)}")
        seen.append(("tried", School.objects.get().name))
        if len(seen) < 2:
            raise CrossedByAnother
        return len(seen)

    assert in_transaction(work) == 2
    assert seen == [("tried", "try 0"), ("tried", "try 1"), ("followed", False), ("the host", False)]
    assert not is_lost()


def a_savepoint_is_rolled_back_alone() -> None:
    def work() -> None:
        School.objects.update(name="kept")
        with atomic():
            School.objects.update(name="rolled back")
            roll_back()
            assert is_lost()
        assert not is_lost()

    in_transaction(work)
    assert School.objects.get().name == "kept"


def main() -> None:
    assert api.get_database_alias() == "ours"
    # The system checks refuse this host (E015).
    call_command("migrate", database="ours", skip_checks=True, verbosity=0)
    world = make_world()
    a_promise_becomes_a_seat(world)
    a_rehearsal_is_taken_back(world)
    a_crossing_starts_the_transaction_anew()
    a_savepoint_is_rolled_back_alone()
    print("done")  # noqa: T201


if __name__ == "__main__":
    main()
