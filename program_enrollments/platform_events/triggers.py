"""Triggers: events of the platform after which something has to be done here.

A sign-in must not fail because of us, nor a step of a retirement: everything runs after the commit, and what it raises
is logged.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.module_loading import import_string
from openedx_events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    SESSION_LOGIN_COMPLETED,
    STUDENT_REGISTRATION_COMPLETED,
)

from program_enrollments import api
from program_enrollments.data import Origin, Source

RETIRED = "openedx.core.djangoapps.user_api.accounts.signals.USER_RETIRE_LMS_MISC"
"""A plain Django signal of the platform: a person is being retired. There is no event for it."""


def account_known(sender: Any, user: Any, **kwargs: Any) -> None:
    """Realize what waits for an account that registered or logged in: its address may have been confirmed."""
    api.after_commit(partial(api.realize_account, user_id=user.id, email=user.pii.email))


def seat_changed(sender: Any, enrollment: Any, **kwargs: Any) -> None:
    """Note a seat that somebody else changed, if a school wants it otherwise."""
    if api.is_writing_seats():
        return
    seat = enrollment.user.id, str(enrollment.course.course_key)
    api.after_commit(partial(api.note_seat_change, user_id=seat[0], course_id=seat[1]))


def account_retired(sender: Any, user: Any, **kwargs: Any) -> None:
    """Remove a retired person's identifiers here, too."""
    api.after_commit(partial(_retire, user.pk))


def _retire(user_id: int) -> None:
    origin = Origin(source=Source.HOST.value, reason="retired on the learning platform")
    api.retire_learners(persons=api.Persons(user_ids=[user_id]), origin=origin)


def connect() -> None:
    """Receive the platform's events, and its signal of retirements if it has one."""
    prefix = "university_enrollments_event"
    STUDENT_REGISTRATION_COMPLETED.connect(account_known, dispatch_uid=f"{prefix}_registered")
    SESSION_LOGIN_COMPLETED.connect(account_known, dispatch_uid=f"{prefix}_logged_in")
    COURSE_ENROLLMENT_CHANGED.connect(seat_changed, dispatch_uid=f"{prefix}_seat")
    try:
        retired = import_string(RETIRED)
    except ImportError:
        return
    retired.connect(account_retired, dispatch_uid=f"{prefix}_retired")
