"""`run_jobs`: collect and carry on files and deliver webhooks, without a broker (docs/operations.rst)."""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from program_enrollments import api
from program_enrollments.failures import describe_failure

logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""Between two looks at a database in which nothing is due."""

ROUND_SECONDS = 300
"""Between two rounds of the work that comes back: deleting what has had its time."""


class Command(BaseCommand):
    help = (
        "Collects the files that schools drop, checks and applies those and the ones that they send, a few seconds of "
        "each in turn, delivers webhooks and mails contacts, until it is stopped. Several may run, on several "
        "machines; each can be stopped or killed at any time. With --once: does what is due and all periodic work, and "
        "ends; as cron does where nothing else runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Do what is due now, then end.")
        parser.add_argument(
            "--parent", type=int, metavar="PID", help="End once the process that started this one, PID, has ended."
        )

    def handle(self, *args: Any, once: bool, parent: int | None = None, **options: Any) -> None:
        stopping = _Stopping(parent=parent)
        next_round = 0.0
        while not stopping.is_asked:
            if time.monotonic() >= next_round:
                self._do_round()
                next_round = time.monotonic() + ROUND_SECONDS
            # All have their turn: an endpoint that answers slowly takes a slice's time at most.
            has_collected, has_worked = self._collect(), self._work()
            if self._deliver() or self._mail() or has_worked or has_collected:
                continue
            if once:
                return
            stopping.wait(IDLE_SECONDS)

    def _do_round(self) -> None:
        for work, failing in (
            (api.derive_mails, "What contacts are to be mailed could not be found"),
            (api.forget_expired, "What has had its time could not be deleted"),
        ):
            try:
                work(now=timezone.now())
            # The same as below.
            except Exception as error:  # noqa: BLE001
                logger.error("%s: %s.", failing, describe_failure(error))
                close_old_connections()

    def _collect(self) -> bool:
        """Look at the folders of the school whose turn it is; return whether there was one."""
        try:
            return api.collect_due_feeds()
        # The same as below.
        except Exception as error:  # noqa: BLE001
            logger.error("Files could not be collected: %s.", describe_failure(error))
            close_old_connections()
            return False

    def _work(self) -> bool:
        """Carry on the job whose turn it is; return whether there was one that could be carried on."""
        try:
            return api.run_next_slice()
        # The database may be down, or one job fail in a way that nobody foresaw: the others go on.
        except Exception as error:  # noqa: BLE001
            logger.error("A job could not be carried on: %s.", describe_failure(error))
            # A connection that broke is made anew.
            close_old_connections()
            return False

    def _deliver(self) -> bool:
        """Deliver webhooks to the endpoint whose turn it is; return whether there was one."""
        try:
            return api.deliver_webhooks()
        # The same.
        except Exception as error:  # noqa: BLE001
            logger.error("Webhooks could not be delivered: %s.", describe_failure(error))
            close_old_connections()
            return False

    def _mail(self) -> bool:
        """Send what is due to one contact; return whether there was one and the mail server took it."""
        try:
            return api.deliver_mails()
        # The same.
        except Exception as error:  # noqa: BLE001
            logger.error("Contacts could not be mailed: %s.", describe_failure(error))
            close_old_connections()
            return False


class _Stopping:
    """Whether somebody has asked the command to stop: it does so after the slice at hand."""

    def __init__(self, *, parent: int | None) -> None:
        self._was_asked = False
        self._parent = parent
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *args: object) -> None:
        if self._was_asked:
            raise KeyboardInterrupt
        self._was_asked = True

    @property
    def is_asked(self) -> bool:
        """Whether it is time to end."""
        return self._was_asked or (self._parent is not None and os.getppid() != self._parent)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        deadline = time.monotonic() + seconds
        while not self.is_asked and time.monotonic() < deadline:
            time.sleep(0.1)
