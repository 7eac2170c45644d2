"""Host adapters that kill the worker, or are away, while a job is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User

from demo_lms.host import DemoCourseEnrollments, DemoHost
from program_enrollments.data import HostFailure, Seat
from program_enrollments.host.ports import UserCourse


class WorkerKilled(BaseException):
    """What a test sees in the place of a process that is gone: nothing catches it on its way."""


class KillingSeats(DemoCourseEnrollments):
    """Kills the worker that gives a seat to somebody called poison."""

    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        names = User.objects.filter(pk__in=[seat.user_id for seat in seats]).values_list("username", flat=True)
        if any("poison" in name for name in names):
            raise WorkerKilled
        return super().put_seats(seats=seats)


class KillingHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = KillingSeats()
