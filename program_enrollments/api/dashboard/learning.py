"""What the host reports of one learner: its optional ports, each on its own, within one deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import DatabaseError

from program_enrollments.api.transactions import atomic, get_connection
from program_enrollments.conf import get_setting
from program_enrollments.data import DueDate, Grade
from program_enrollments.exceptions import HostError
from program_enrollments.failures import describe_failure
from program_enrollments.host import get_host
from program_enrollments.host.checked_host import CheckedHost
from program_enrollments.host.deadline import limited

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Learning:
    """What the host reported, per course key. A port that is missing or failed has reported nothing."""

    progress: Mapping[str, float] = field(default_factory=dict)
    grades: Mapping[str, Grade] = field(default_factory=dict)
    resume_links: Mapping[str, str] = field(default_factory=dict)
    due_dates: Mapping[str, DueDate] = field(default_factory=dict)
    certificates: Mapping[str, str] = field(default_factory=dict)
    keep_account_url: str = ""
    is_partial: bool = False
    """Whether a port failed, or there was no time for it."""

    def ask(self, report: Callable[[], T], default: T) -> T:
        """Return the answer of one port, or `default` if it fails."""
        try:
            # A failing statement spoils the transaction around it, if there is one, unless there is a savepoint.
            with atomic() if get_connection().in_atomic_block else nullcontext():
                return report()
        except (HostError, DatabaseError) as failure:
            logger.warning("The dashboard goes without a report of the host: %s.", describe_failure(failure))
            self.is_partial = True
            return default


def fetch_learning(*, user: Any, course_ids: Collection[str], now: datetime) -> Learning:
    """Return what the host's optional ports report, with one call of each."""
    learning = Learning()
    with limited("DASHBOARD_HOST_SECONDS"):
        host = get_host()
        if course_ids:
            _fetch_of_courses(learning, host, {"user_id": user.pk, "course_ids": sorted(course_ids)}, now)
        learning.keep_account_url = _keep_account_url(learning, host, user)
    return learning


def _fetch_of_courses(learning: Learning, host: CheckedHost, asked: dict[str, Any], now: datetime) -> None:
    # What leads on comes first: it is what a late host is worth waiting for.
    if (links := host.resume_links) is not None:
        learning.resume_links = learning.ask(lambda: links.fetch_resume_links(**asked), {})
    if (progress := host.progress) is not None:
        learning.progress = learning.ask(lambda: progress.fetch_progress(**asked), {})
    if (dates := host.due_dates) is not None:
        learning.due_dates = learning.ask(lambda: dates.fetch_due_dates(**asked, after=now), {})
    if (grades := host.learner_grades) is not None:
        learning.grades = learning.ask(lambda: grades.fetch_learner_grades(**asked), {})
    if (certificates := host.certificates) is not None:
        learning.certificates = learning.ask(lambda: certificates.fetch_certificates(**asked), {})


def fetch_keep_account_url(*, user: Any) -> str:
    """Return where the user keeps the account, "" where that is not needed or not known."""
    with limited("DASHBOARD_HOST_SECONDS"):
        return _keep_account_url(Learning(), get_host(), user)


def _keep_account_url(learning: Learning, host: CheckedHost, user: Any) -> str:
    if (port := host.keep_account) is not None:
        return learning.ask(lambda: port.keep_account_url(user_id=user.pk), "")
    configured: str = get_setting("KEEP_ACCOUNT_URL")
    return configured if configured and not user.has_usable_password() else ""


def is_address_unconfirmed(*, user: Any) -> bool:
    """Return whether the account's address is still unconfirmed; False if the host doesn't answer."""
    if not getattr(user, get_user_model().get_email_field_name(), ""):
        return False
    learning = Learning()
    with limited("DASHBOARD_HOST_SECONDS"):
        host = get_host()
        nobody: Mapping[int, str] = {}
        confirmed = learning.ask(lambda: host.accounts.confirmed_emails(user_ids=[user.pk]), nobody)
    return not learning.is_partial and user.pk not in confirmed
