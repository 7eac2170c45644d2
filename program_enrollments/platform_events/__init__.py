"""Events of Open edX (`openedx-events`): ours that are sent, and the platform's that are received.

Used only if that package is installed. Without it nothing is missing: sign-ins are noticed by saved accounts and
identities, drift by the look-up.
"""

from __future__ import annotations


def connect() -> None:
    """Send our events after each commit, and receive the platform's."""
    from program_enrollments.platform_events import sending, triggers  # noqa: PLC0415  (need the optional package)

    sending.connect()
    triggers.connect()
