"""Tasks: Celery carries nudges; what is to be done, and by whom, the database says (ADR 0016).

A host with Celery sets `JOB_ENGINE` to "celery" and has beat send `program_enrollments.do_periodic_work` every minute.
Arguments are numbers only. No task has a due time of its own, and losing or doubling a message does no harm.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import shared_task
from django.utils import timezone

from program_enrollments import api
from program_enrollments.conf import get_setting
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

PUBLISHING_SECONDS = 2.0
"""How long a call that has committed waits for the broker to take its message."""

MAX_STUCK = 8
"""Messages that a broker may leave unanswered before no further ones are sent."""


@shared_task(name="program_enrollments.run_slice", acks_late=True, ignore_result=True)
def run_slice(job_id: int, slice_number: int) -> None:
    """Carry a job on for one slice. A message that is past does nothing, and sends nothing."""
    api.run_slice(job_id=job_id, slice_number=slice_number)


@shared_task(name="program_enrollments.do_periodic_work", acks_late=True, ignore_result=True)
def do_periodic_work() -> None:
    """Send a message for each job that is due, and delete what has had its time."""
    now = timezone.now()
    api.nudge_due_jobs(now=now)
    api.forget_expired(now=now)


class _Publisher:
    """Sends messages without ever keeping a caller waiting for long."""

    def __init__(self) -> None:
        self._stuck = threading.BoundedSemaphore(MAX_STUCK)

    def publish(self, job_id: int, slice_number: int) -> None:
        """Send a message and wait until the broker has it, `PUBLISHING_SECONDS` at most. Never raises."""
        if run_slice.app.conf.task_always_eager:
            # The call that committed would do the work itself.
            return
        if not self._stuck.acquire(blocking=False):
            logger.warning("The broker does not answer. Job %s is found by the next periodic look.", job_id)
            return
        sending = threading.Thread(target=self._send, args=(job_id, slice_number), daemon=True)
        sending.start()
        sending.join(PUBLISHING_SECONDS)
        if sending.is_alive():
            logger.warning("The broker is slow. Job %s may have to wait for the next periodic look.", job_id)

    def _send(self, job_id: int, slice_number: int) -> None:
        try:
            run_slice.apply_async((job_id, slice_number), queue=get_setting("JOB_QUEUE"), retry=False)
        # Brokers have exceptions of their own, and a lost message is no harm.
        except Exception as error:  # noqa: BLE001
            logger.warning("Job %s waits for the next periodic look: %s.", job_id, describe_failure(error))
        finally:
            self._stuck.release()


_publisher = _Publisher()


def send_message(sender: Any, job_id: int, slice: int, **kwargs: Any) -> None:  # noqa: A002  (the signal's word)
    """Tell the workers that a slice of a job can begin."""
    _publisher.publish(job_id, slice)


def connect() -> None:
    """Send a message whenever a commit has made a job due."""
    api.job_due.connect(send_message, dispatch_uid="university_enrollments_job_due")
