"""What follows a commit is not lost where a host's own callback raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from django.db import transaction
from pytest_django import Settings
from social_django.models import UserSocialAuth

from demo_lms.host import DemoCourseEnrollments, DemoHost
from program_enrollments import api
from program_enrollments.api.transactions import CrossedByAnother, after_commit, in_transaction
from program_enrollments.data import CourseEnrollmentRequest, HostFailure, Seat, Verb
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import Learner
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, SchoolFactory
from tests.factories.host import UserFactory, confirm_email

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "ben@uni-a.example"


def break_down() -> None:
    raise RuntimeError(f"The broker is down; {ADDRESS} was not told.")


class ConfirmingSeats(DemoCourseEnrollments):
    """Sees an address confirmed while seats are written, and has a callback that raises."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        for user in UserFactory._meta.model.objects.filter(email=ADDRESS):
            confirm_email(user)
        transaction.on_commit(break_down)
        return super().put_seats(seats=seats)


class ConfirmingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = ConfirmingSeats()


@pytest.fixture
def world(settings: Settings) -> World:
    """S-1 has an account; S-2 is about to be given the address of an account that confirms it meanwhile."""
    school = SchoolFactory(key="uni-a")
    provider = IdentityProviderFactory(school=school, slug="uni-a")
    curriculum = CurriculumFactory(program__school=school)
    run = CourseRunFactory(curricula=[curriculum])
    world = World(school, provider, curriculum, run, run_callbacks=None)  # type: ignore[arg-type]
    world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
    UserSocialAuth.objects.create(user=UserFactory(), provider="tpa-saml", uid="uni-a:S-1")
    UserFactory(email=ADDRESS)
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "HOST": f"{__name__}.ConfirmingHost"}
    return world


def write(world: World) -> list[str]:
    rows = [
        CourseEnrollmentRequest("S-1", "S-1", "", "active"),
        CourseEnrollmentRequest("S-2", "S-2", ADDRESS, "active"),
    ]
    outcomes = api.write_course_enrollments(
        program=world.program, course_run=world.course_run, rows=rows, verb=Verb.UPSERT, origin=ORIGIN
    )
    return [outcome.word for outcome in outcomes]


def is_linked() -> bool:
    return Learner.objects.get(student_key="S-2").user is not None


def test_addresses_are_looked_at_again_although_the_hosts_callback_raises(world: World) -> None:
    assert write(world) == ["active", "active"]
    assert is_linked()


def test_so_they_are_within_a_transaction_of_the_hosts(world: World) -> None:
    with pytest.raises(RuntimeError, match="broker"), transaction.atomic():
        write(world)
    assert is_linked()


def test_a_callback_that_raised_before_ours_leaves_the_rest_to_the_sweep(world: World) -> None:
    """Django drops all callbacks behind the first that raises, whoever registered them."""

    def break_down_and_write() -> None:
        transaction.on_commit(break_down)
        write(world)

    with pytest.raises(RuntimeError, match="broker"), transaction.atomic():
        break_down_and_write()
    assert not is_linked()

    api.sweep()

    assert is_linked()


def test_ours_come_first_each_by_itself_and_say_nothing_of_anybody(db: None, caplog: pytest.LogCaptureFixture) -> None:
    came: list[str] = []

    def work() -> None:
        transaction.on_commit(lambda: came.append("host"))
        after_commit(break_down)
        after_commit(lambda: came.append("ours"))

    in_transaction(work)

    assert came == ["ours", "host"]
    assert "RuntimeError" in caplog.text
    assert ADDRESS not in caplog.text


def test_nothing_follows_what_was_rolled_back(db: None) -> None:
    came: list[int] = []
    tries: list[int] = []

    def work() -> None:
        after_commit(lambda: came.append(len(tries)))
        tries.append(1)
        if len(tries) < 3:
            raise CrossedByAnother

    def fails() -> None:
        after_commit(lambda: came.append(-1))
        raise LookupError

    def outer() -> None:
        with pytest.raises(LookupError):
            in_transaction(fails)
        in_transaction(work)

    in_transaction(outer)
    assert came == [3]
    with transaction.atomic(), pytest.raises(LookupError):
        in_transaction(fails)
    with pytest.raises(LookupError):
        in_transaction(fails)
    assert came == [3]


def _directly(register: Callable[[], None]) -> None:
    register()


def _in_a_transaction(register: Callable[[], None]) -> None:
    with transaction.atomic():
        register()


@pytest.mark.parametrize("run", [_directly, _in_a_transaction], ids=["directly", "in a transaction"])
def test_outside_of_the_apps_transactions_it_is_djangos_own_way(
    db: None, run: Callable[[Callable[[], None]], None], caplog: pytest.LogCaptureFixture
) -> None:
    came: list[str] = []

    def register() -> None:
        after_commit(break_down)
        after_commit(lambda: came.append("ours"))

    run(register)

    assert came == ["ours"]
    assert "RuntimeError" in caplog.text
    assert ADDRESS not in caplog.text
