"""A learning platform that is down as long as a file is there."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo_lms.host import DemoCourseEnrollments, DemoHost
from program_enrollments.data import HostFailure, Seat
from program_enrollments.exceptions import HostError
from program_enrollments.host.ports import UserCourse


class SwitchableSeats(DemoCourseEnrollments):
    def put_seats(self, *, seats: Sequence[Seat]) -> Mapping[UserCourse, HostFailure]:
        if Path(os.environ["LONG_STORAGE"], "platform-is-down").exists():
            raise HostError("The platform is being upgraded.")
        return super().put_seats(seats=seats)


class SwitchableHost(DemoHost):
    def __init__(self) -> None:
        super().__init__()
        self.course_enrollments = SwitchableSeats()
