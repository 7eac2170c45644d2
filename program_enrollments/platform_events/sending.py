"""Sending: one event per recorded change of an enrollment, after its commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from openedx_events.tooling import OpenEdxPublicSignal

from program_enrollments import api
from program_enrollments.data import Change, ChangeKind
from program_enrollments.platform_events import signals

EVENTS: dict[str, OpenEdxPublicSignal] = {
    ChangeKind.PROGRAM_ENROLLMENT.value: signals.PROGRAM_ENROLLMENT_CHANGED,
    ChangeKind.PROGRAM_REALIZED.value: signals.PROGRAM_ENROLLMENT_REALIZED,
    ChangeKind.COURSE_ENROLLMENT.value: signals.COURSE_ENROLLMENT_CHANGED,
    ChangeKind.COURSE_REALIZED.value: signals.COURSE_ENROLLMENT_REALIZED,
}


def send_events(sender: Any, changes: Sequence[Change], at: datetime, **kwargs: Any) -> None:
    """Send the event of each change for which somebody listens. Without listeners nothing is read."""
    # Asked once, not per change: a chunk has a thousand.
    kinds = {kind for kind, event in EVENTS.items() if event.has_listeners()}
    heard = [change for change in changes if change.kind in kinds]
    if not heard:
        return
    for described in api.describe_recorded_changes(changes=heard):
        EVENTS[described.kind].send_event(time=at, change=_data(described))


def _data(described: api.DescribedChange) -> signals.ProgramEnrollmentChange:
    fields: dict[str, Any] = {
        "learner_id": described.learner_id,
        "program_uuid": str(described.program_uuid),
        "user_id": described.user_id,
        "before": described.before,
        "after": described.after,
    }
    if described.course_id:
        return signals.CourseEnrollmentChange(**fields, course_id=described.course_id)
    return signals.ProgramEnrollmentChange(**fields)


def connect() -> None:
    """Send events from now on."""
    api.changes_recorded.connect(send_events, dispatch_uid="university_enrollments_events")
