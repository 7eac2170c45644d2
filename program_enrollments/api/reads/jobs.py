"""Jobs, as far as the caller may see them, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet

from program_enrollments.api.access import Access
from program_enrollments.api.reads.cursors import MAX_KEY, Cursor, fetch_page, walk
from program_enrollments.data import Page, Permission
from program_enrollments.exceptions import JobDoesNotExist, PermissionDenied
from program_enrollments.models import Job, JobRow

MAX_DIGITS = 19


def get_job(*, access: Access, number: str, permission: str | None = None) -> Job:
    """Return a job by its number as it was sent, if the caller has `permission` on its program.

    Without a permission, any grant on the program is enough. The job's creator may read it without the permission to
    read all enrollments. Raises JobDoesNotExist for a job of a program that the caller doesn't see; then
    PermissionDenied.
    """
    is_number = number.isascii() and number.isdecimal() and len(number) < MAX_DIGITS
    jobs = Job.objects.select_related("program", "school")
    if is_number and not access.is_for_all_schools:
        jobs = jobs.filter(Q(school_id__in=list(access.schools)) | Q(program_id__in=list(access.programs)))
    job = jobs.filter(pk=int(number)).first() if is_number else None
    if job is None:
        raise JobDoesNotExist
    is_own = permission == Permission.READ_ENROLLMENTS and job.created_by_user_id == access.user_id
    if permission is not None and not is_own and not access.allows(permission=permission, program=job.program):
        raise PermissionDenied
    return job


def readable_jobs(*, access: Access) -> QuerySet[Job]:
    """Return jobs of programs whose enrollments the caller may read, and own jobs in visible programs."""
    jobs = Job.objects.select_related("program", "school")
    if access.is_for_all_schools:
        return jobs
    schools = [pk for pk, words in access.schools.items() if Permission.READ_ENROLLMENTS in words]
    programs = [pk for pk, words in access.programs.items() if Permission.READ_ENROLLMENTS in words]
    seen = Q(school_id__in=list(access.schools)) | Q(program_id__in=list(access.programs))
    own = Q(created_by_user_id=access.user_id) & seen
    return jobs.filter(Q(school_id__in=schools) | Q(program_id__in=programs) | own)


def fetch_jobs(
    *,
    access: Access,
    school: str | None,
    program: object | None,
    kind: str | None,
    state: str | None,
    render: Callable[[Job], dict[str, Any]],
    cursor: str | None,
    page_size: int,
) -> Page:
    """Return a page of the jobs that the caller may see, newest first. One statement. Raises BadCursor."""
    jobs = readable_jobs(access=access)
    filters = {"school__key": school, "program__uuid": program, "kind": kind, "state": state}
    jobs = jobs.filter(**{name: value for name, value in filters.items() if value is not None})

    def read(place: Cursor, limit: int) -> list[tuple[int, Job]]:
        if place.backward:
            found = jobs.filter(pk__gt=place.key).order_by("pk")
        else:
            found = jobs.filter(pk__lt=place.key or MAX_KEY).order_by("-pk")
        return [(job.pk, job) for job in found[:limit]]

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=render)


@dataclass(frozen=True, slots=True)
class JobRowFilters:
    """Which of a job's rows are listed. None is not applied."""

    word: str | None = None
    changed: bool | None = None
    line: int | None = None


def fetch_job_rows(*, job: Job, filters: JobRowFilters, cursor: str | None, page_size: int) -> Page:
    """Return a page of the outcomes of a job's lines, in order, then of the leavers. Raises BadCursor."""
    wanted = {name: value for name, value in asdict(filters).items() if value is not None}
    rows = JobRow.objects.filter(job_id=job.pk, **wanted)

    def read(place: Cursor, limit: int) -> Sequence[tuple[int, JobRow]]:
        keyed = {"place__lt" if place.backward else "place__gt": place.key}
        found = rows.filter(**keyed).order_by("-place" if place.backward else "place")[:limit]
        return [(row.place, row) for row in found]

    return fetch_page(read=read, cursor=cursor, page_size=page_size, render=describe_row)


def walk_job_rows(*, job: Job, filters: JobRowFilters, page_size: int) -> Iterator[dict[str, Any]]:
    """Yield all outcomes that `fetch_job_rows` lists, a page at a time."""
    return walk(partial(fetch_job_rows, job=job, filters=filters, page_size=page_size))


def describe_job(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "mode": job.mode,
        "dry_run": job.dry_run,
        "school": job.school.key,
        "program": str(job.program.uuid),
        "state": job.state,
        "file_name": job.file_name,
        "total": job.total,
        "done": job.done,
        "counts": job.counts,
        "changed": job.changed,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "removals": job.removals,
        "held": job.held,
        "next_try": job.next_try,
        "message": job.message,
        "notes": job.notes,
        "created_by": job.created_by,
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
        "undoes": None,
        "undone_by": None,
    }


def describe_row(row: JobRow) -> dict[str, Any]:
    """Return a job's row as the API shows it."""
    return {
        "line": row.line,
        "student_key": row.student_key,
        "course_id": row.course_id or None,
        "word": row.word,
        "changed": row.changed,
        "before": row.before,
        "after": row.after,
        "detail": row.detail,
    }
