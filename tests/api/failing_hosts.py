"""Host adapters that fail as real ones do: for one course run or user, as a whole, or by breaking the transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.contrib.auth.models import User
from django.db import connection, transaction

from demo_lms.host import DemoCourseEnrollments, DemoCourseRoles, DemoHost
from program_enrollments.data import HostFailure, Seat
from program_enrollments.exceptions import HostError, HostRefused
from program_enrollments.host.ports import UserCourse


class PoisonedSeats(DemoCourseEnrollments):
    """Raises, as code nobody foresaw would, wherever a course key or a username says "poison"."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        names = set(User.objects.filter(pk__in=[seat.user_id for seat in seats]).values_list("username", flat=True))
        if any("poison" in text for text in [*names, *(seat.course_id for seat in seats)]):
            raise RuntimeError("Learner S-1 <s1@uni-a.example> upset the course enrollment code.")
        return super().put_seats(seats=seats)


class PoisonedHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = PoisonedSeats()


class BrokenTransactionSeats(DemoCourseEnrollments):
    """Makes the database refuse a statement, which on PostgreSQL makes it refuse all that follow."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        if any("poison" in seat.course_id for seat in seats):
            with connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM no_such_table")
        return super().put_seats(seats=seats)


class BrokenTransactionHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = BrokenTransactionSeats()


class UnreachableSeats(DemoCourseEnrollments):
    def fetch_seats(
        self, *, user_ids: Collection[int], course_ids: Collection[str], lock: bool = False
    ) -> Sequence[Seat]:
        raise HostError("The course enrollments are being upgraded.")


class UnreachableHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = UnreachableSeats()


class RefusingSeats(DemoCourseEnrollments):
    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        if any("poison" in seat.course_id for seat in seats):
            raise HostRefused("This course run takes nobody from universities.")
        return super().put_seats(seats=seats)


class RefusingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = RefusingSeats()


class PoisonedLeavingSeats(DemoCourseEnrollments):
    """Keeps the seats of course runs that say poison, whoever asks."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        kept = [seat for seat in seats if "poison" in seat.course_id and not seat.is_active]
        others = [seat for seat in seats if seat not in kept]
        failures = {(seat.user_id, seat.course_id): HostFailure("kept", "Exams are running.", False) for seat in kept}
        return {**super().put_seats(seats=others), **failures}


class PoisonedLeavingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = PoisonedLeavingSeats()


class NoRoles(DemoCourseRoles):
    def grant_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        return {pair: HostFailure("no_roles", "Roles are frozen.", False) for pair in pairs}

    def revoke_course_staff(self, *, pairs: Collection[UserCourse]) -> Mapping[UserCourse, HostFailure]:
        return {pair: HostFailure("no_roles", "Roles are frozen.", False) for pair in pairs}


class NoRolesHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_roles = NoRoles()


class HookingSeats(DemoCourseEnrollments):
    """Has something to do after each commit, and fails at it, as a host whose message broker is down."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        def announce() -> None:
            raise RuntimeError("The broker is down.")

        transaction.on_commit(announce)
        return super().put_seats(seats=seats)


class HookingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = HookingSeats()


class DownSeats(DemoCourseEnrollments):
    """Is down as an adapter's HTTP client finds it: with an error of the network, whatever is asked."""

    calls = 0
    error: type[Exception] = ConnectionRefusedError

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        type(self).calls += 1
        raise self.error("the host is down")


class DownHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = DownSeats()
