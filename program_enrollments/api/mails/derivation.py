"""Derivation: what has happened that contacts are to be mailed about, found in the tables.

Each thing has a key, so finding it again, or by two workers at once, writes nothing more. Nothing is written by those
who do the work: jobs, feeds and sign-on know of no mails.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db.models import Q

from program_enrollments.api.feeds.overview import fetch_late_feeds
from program_enrollments.api.jobs.dependents import SHARED_ADDRESS
from program_enrollments.api.notices import Notice, add_notices
from program_enrollments.api.sso.certificates import ENDS_SOON, read_certificates
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import FeedFileState, JobMode, JobState, MailKind, Word
from program_enrollments.exceptions import MetadataUnusable
from program_enrollments.models import FeedFile, Job, JobRow, Mail, SamlConfiguration, StagedRow

WINDOW = timedelta(days=2)
"""How long ago something may have ended that nobody was mailed about yet, such as after an outage of the workers."""

LONGEST_JOB = timedelta(days=30)
"""Jobs that were queued earlier are not looked through; those that are held or wait are, whatever their age."""

LONG_WAIT = timedelta(hours=1)

COUNTED = 20_000
"""Lines up to which changed student IDs are looked for, as on the file's page."""


class Found(NamedTuple):
    """What happened, and at which school."""

    school_id: int
    notice: Notice


def derive_mails(*, now: datetime) -> int:
    """Write mails about what has happened since the last time, and return how many.

    A few statements if nothing has happened.
    """
    found = [*_late_feeds(now), *_rejected_files(now), *_jobs(now), *_certificates(now)]
    keys = {one.notice.key for one in found}
    known = set(Mail.objects.filter(key__in=keys).values_list("school_id", "key")) if keys else set()
    by_school: dict[int, list[Notice]] = defaultdict(list)
    for school_id, notice in found:
        if (school_id, notice.key) not in known:
            by_school[school_id].append(notice)
    return sum(
        in_transaction(partial(add_notices, school_id=school_id, notices=notices, now=now))
        for school_id, notices in sorted(by_school.items())
    )


def _late_feeds(now: datetime) -> Iterator[Found]:
    for state in fetch_late_feeds(now=now):
        since = state.times.late_since
        assert since is not None  # noqa: S101  (that is what makes it late)
        key = f"{MailKind.FEED_LATE.value}:{state.feed.pk}:{since:%Y%m%dT%H%M}"
        data = {"feed": state.feed.pk, "since": since.isoformat()}
        yield Found(state.feed.school_id, Notice(MailKind.FEED_LATE, key, data, state.feed.program_id))


def _rejected_files(now: datetime) -> Iterator[Found]:
    files = FeedFile.objects.filter(state=FeedFileState.REJECTED, decided_at__gt=now - WINDOW)
    for pk, school_id, program_id in files.values_list("pk", "feed__school_id", "feed__program_id"):
        key = f"{MailKind.FILE_REJECTED.value}:{pk}"
        yield Found(school_id, Notice(MailKind.FILE_REJECTED, key, {}, program_id))


def _jobs(now: datetime) -> Iterator[Found]:
    ended = Q(
        state__in=[JobState.FAILED, JobState.SUCCEEDED], queued_at__gt=now - LONGEST_JOB, finished__gt=now - WINDOW
    )
    waiting = Q(state=JobState.WAITING, waiting_since__lte=now - LONG_WAIT)
    jobs = Job.objects.filter(Q(state=JobState.HELD) | waiting | ended, dry_run=False).order_by("pk")
    for job in jobs.defer("removed", "progress", "notes"):
        if job.state == JobState.HELD:
            yield _of(job, MailKind.JOB_HELD, count=job.removals)
        elif job.state == JobState.FAILED:
            yield _of(job, MailKind.JOB_FAILED)
        elif job.state == JobState.WAITING:
            yield _of(job, MailKind.JOB_WAITING, since=job.waiting_since)
        elif job.refused:
            yield _of(job, MailKind.ROWS_REFUSED, count=job.refused)
        if count := _changed_ids(job):
            yield _of(job, MailKind.IDS_CHANGED, count=count)


def _of(job: Job, kind: MailKind, *, count: int = 0, since: datetime | None = None) -> Found:
    # A job that waits again later is another matter.
    key = f"{kind.value}:{job.pk}" + (f":{since:%Y%m%dT%H%M%S}" if since is not None else "")
    return Found(job.school_id, Notice(kind, key, {"job": job.pk, "count": count}, job.program_id))


def _changed_ids(job: Job) -> int:
    """Return how many learners of a snapshot probably have another student ID now."""
    if job.mode != JobMode.SNAPSHOT or job.total > COUNTED or job.state not in {JobState.HELD, JobState.SUCCEEDED}:
        return 0
    if job.state == JobState.SUCCEEDED and not job.refused:
        return 0
    rows = StagedRow.objects if job.state == JobState.HELD else JobRow.objects
    beginning = str(SHARED_ADDRESS).partition("%(owner)s")[0]
    named = rows.filter(job_id=job.pk, word=Word.INVALID_IDENTITY.value, detail__startswith=beginning)
    return int(named.count())


def _certificates(now: datetime) -> Iterator[Found]:
    configurations = SamlConfiguration.objects.filter(identity_provider__is_enabled=True)
    for one in configurations.select_related("identity_provider").order_by("pk"):
        try:
            ends_at = max(certificate.expires_at for certificate in read_certificates(text=one.signing_certificates))
        except (MetadataUnusable, ValueError):
            continue
        if ends_at > now + ENDS_SOON:
            continue
        provider = one.identity_provider
        key = f"{MailKind.CERTIFICATE_ENDS.value}:{one.pk}:{ends_at:%Y%m%d}"
        data = {"provider": provider.pk, "ends_at": ends_at.isoformat()}
        yield Found(provider.school_id, Notice(MailKind.CERTIFICATE_ENDS, key, data))
