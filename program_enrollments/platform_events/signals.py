"""The events that this app sends, for plug-ins and the event bus of Open edX (docs/openedx.rst).

Their data names nobody: numbers of learners and accounts, UUIDs, course keys and statuses only.
"""

from __future__ import annotations

import attr
from openedx_events.tooling import OpenEdxPublicSignal

PREFIX = "program_enrollments.enrollments"


@attr.s(frozen=True)
class ProgramEnrollmentChange:
    """A change of a program enrollment.

    `user_id` is None while the learner has no account. `before` is None for a new enrollment. Statuses as in the API.
    """

    learner_id = attr.ib(type=int)
    program_uuid = attr.ib(type=str)
    user_id = attr.ib(type=int, default=None)
    before = attr.ib(type=str, default=None)
    after = attr.ib(type=str, default=None)


@attr.s(frozen=True)
class CourseEnrollmentChange(ProgramEnrollmentChange):
    """A change of a course enrollment, with the course key as text."""

    course_id = attr.ib(type=str, default=None)


PROGRAM_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PREFIX}.program.changed.v1", data={"change": ProgramEnrollmentChange}
)
"""A program enrollment, waiting or real, is new or has another status."""

PROGRAM_ENROLLMENT_REALIZED = OpenEdxPublicSignal(
    event_type=f"{PREFIX}.program.realized.v1", data={"change": ProgramEnrollmentChange}
)
"""A program enrollment that waited for an account has one now."""

COURSE_ENROLLMENT_CHANGED = OpenEdxPublicSignal(
    event_type=f"{PREFIX}.course.changed.v1", data={"change": CourseEnrollmentChange}
)
"""A course enrollment through a program, waiting or real, is new or has another status."""

COURSE_ENROLLMENT_REALIZED = OpenEdxPublicSignal(
    event_type=f"{PREFIX}.course.realized.v1", data={"change": CourseEnrollmentChange}
)
"""A course enrollment that waited for an account has a seat now."""
