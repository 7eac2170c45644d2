"""Signals of seats and accounts."""

from django.dispatch import Signal

ENROLLMENT_TRACK_UPDATED = Signal()
ENROLL_STATUS_CHANGE = Signal()
UNENROLL_DONE = Signal()
