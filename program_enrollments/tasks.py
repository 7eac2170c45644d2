"""Tasks: Celery carries nudges; what is to be done, and by whom, the database says (ADR 0016).

A host with Celery sets `JOB_ENGINE` to "celery" and has beat send `program_enrollments.do_periodic_work` every minute.
Arguments are numbers only. No task has a due time of its own, and losing or doubling a message does no harm.
"""

from __future__ import annotations

import logging
import threading
import time
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


@shared_task(name="program_enrollments.deliver_webhooks", acks_late=True, ignore_result=True)
def deliver_webhooks() -> None:
    """Deliver due webhook messages until none is left or a slice's time is over."""
    until = time.monotonic() + get_setting("SLICE_SECONDS")
    while api.deliver_webhooks() and time.monotonic() < until:
        continue


@shared_task(name="program_enrollments.collect_feeds", acks_late=True, ignore_result=True)
def collect_feeds() -> None:
    """Make jobs of the files that schools have dropped, until none is due or a slice's time is over."""
    until = time.monotonic() + get_setting("SLICE_SECONDS")
    while api.collect_due_feeds() and time.monotonic() < until:
        continue


@shared_task(name="program_enrollments.deliver_mails", acks_late=True, ignore_result=True)
def deliver_mails() -> None:
    """Send due mails to schools' contacts until none is left or a slice's time is over."""
    until = time.monotonic() + get_setting("SLICE_SECONDS")
    while api.deliver_mails() and time.monotonic() < until:
        continue


@shared_task(name="program_enrollments.do_periodic_work", acks_late=True, ignore_result=True)
def do_periodic_work() -> None:
    """Send a message for each due job, collect files, mail contacts, deliver webhooks, delete what is old."""
    now = timezone.now()
    api.nudge_due_jobs(now=now)
    if api.has_due_feeds(now=now):
        # In a task of its own, since the storage may be slow.
        _publisher.publish(collect_feeds)
    api.derive_mails(now=now)
    if api.has_due_mails(now=now):
        _publisher.publish(deliver_mails)
    api.forget_expired(now=now)
    # Repeated messages have no nudge of their own. Last, since receivers may be slow.
    deliver_webhooks()


class _Publisher:
    """Sends messages without ever keeping a caller waiting for long."""

    def __init__(self) -> None:
        self._stuck = threading.BoundedSemaphore(MAX_STUCK)

    def publish(self, task: Any, *args: int) -> None:
        """Send a task's message and wait until the broker has it, `PUBLISHING_SECONDS` at most. Never raises."""
        if task.app.conf.task_always_eager:
            # The call that committed would do the work itself.
            return
        if not self._stuck.acquire(blocking=False):
            logger.warning("The broker does not answer. %s %s waits for the next periodic look.", task.name, args)
            return
        sending = threading.Thread(target=self._send, args=(task, args), daemon=True)
        sending.start()
        sending.join(PUBLISHING_SECONDS)
        if sending.is_alive():
            logger.warning("The broker is slow. %s %s may wait for the next periodic look.", task.name, args)

    def _send(self, task: Any, args: tuple[int, ...]) -> None:
        try:
            task.apply_async(args, queue=get_setting("JOB_QUEUE"), retry=False)
        # Brokers have exceptions of their own, and a lost message is no harm.
        except Exception as error:  # noqa: BLE001
            logger.warning("%s %s waits for the next periodic look: %s.", task.name, args, describe_failure(error))
        finally:
            self._stuck.release()


_publisher = _Publisher()


def send_message(sender: Any, job_id: int, slice: int, **kwargs: Any) -> None:  # noqa: A002  (the signal's word)
    """Tell the workers that a slice of a job can begin."""
    _publisher.publish(run_slice, job_id, slice)


def send_webhook_message(sender: Any, endpoint_id: int, **kwargs: Any) -> None:
    """Tell the workers that an endpoint has a message to get."""
    _publisher.publish(deliver_webhooks)


def connect() -> None:
    """Send a message whenever a commit has made a job or a webhook message due."""
    api.job_due.connect(send_message, dispatch_uid="university_enrollments_job_due")
    api.webhook_due.connect(send_webhook_message, dispatch_uid="university_enrollments_webhook_due")
