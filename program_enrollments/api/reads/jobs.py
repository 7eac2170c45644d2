"""Jobs, as far as the caller may see them, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from program_enrollments.api.access import Access
from program_enrollments.api.reads.cursors import MAX_KEY, Cursor, fetch_page, walk
from program_enrollments.data import Page, Permission
from program_enrollments.exceptions import JobDoesNotExist, PermissionDenied
from program_enrollments.models import Job, JobRow, Program, School

MAX_DIGITS = 19


def get_job(*, access: Access, number: str, permission: str | None = None) -> Job:
    """Return a job by its number as it was sent, if the caller has `permission` on its program.

    A re-key takes the permission to write enrollments, on its whole school. Without a permission, any grant on the
    program, or in the school, is enough. The job's creator may read it without the permission to read all enrollments.
    Raises JobDoesNotExist for a job of a program or school that the caller doesn't see; then PermissionDenied.
    """
    is_number = number.isascii() and number.isdecimal() and len(number) < MAX_DIGITS
    jobs = _with_undos()
    if is_number and not access.is_for_all_schools:
        jobs = jobs.filter(_visible(access))
    job = jobs.filter(pk=int(number)).first() if is_number else None
    if job is None:
        raise JobDoesNotExist
    is_own = permission == Permission.READ_ENROLLMENTS and job.created_by_user_id == access.user_id
    if permission is not None and not is_own and not _is_allowed(access, job, permission):
        raise PermissionDenied
    return job


def _with_undos() -> QuerySet[Job]:
    """Return all jobs, each with what it belongs to, and with the job that undoes it."""
    undo = Job.objects.filter(undone_job=OuterRef("pk")).order_by().values("pk")[:1]
    return Job.objects.select_related("program", "school").annotate(undone_by_id=Subquery(undo))


def _visible(access: Access) -> Q:
    """Select jobs of the programs that the caller sees, and re-keys of their schools."""
    schools = Program.objects.filter(pk__in=list(access.programs)).values("school_id")
    return (
        Q(school_id__in=list(access.schools))
        | Q(program_id__in=list(access.programs))
        | Q(program__isnull=True, school_id__in=schools)
    )


def _is_allowed(access: Access, job: Job, permission: str) -> bool:
    if job.program is not None:
        return access.allows(permission=permission, program=job.program)
    return access.reach(permission=Permission.WRITE_ENROLLMENTS, school_id=job.school_id).is_school_wide


def readable_jobs(*, access: Access) -> QuerySet[Job]:
    """Return jobs of programs whose enrollments the caller may read, and own jobs in visible programs.

    Re-keys are returned to those who may write enrollments in the whole school.
    """
    jobs = _with_undos()
    if access.is_for_all_schools:
        return jobs
    schools = [pk for pk, words in access.schools.items() if Permission.READ_ENROLLMENTS in words]
    programs = [pk for pk, words in access.programs.items() if Permission.READ_ENROLLMENTS in words]
    writing = [pk for pk, words in access.schools.items() if Permission.WRITE_ENROLLMENTS in words]
    own = Q(created_by_user_id=access.user_id) & _visible(access)
    enrollments = Q(program__isnull=False, school_id__in=schools) | Q(program_id__in=programs)
    return jobs.filter(enrollments | Q(program__isnull=True, school_id__in=writing) | own)


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


def fetch_rekeys(*, school: School, cursor: str | None, page_size: int) -> Page:
    """Return a page of a school's files of student IDs, newest first; rows have `job, at`.

    Raises BadCursor.
    """
    jobs = Job.objects.filter(school=school, program=None)

    def read(place: Cursor, limit: int) -> list[tuple[int, Job]]:
        if place.backward:
            found = jobs.filter(pk__gt=place.key).order_by("pk")
        else:
            found = jobs.filter(pk__lt=place.key or MAX_KEY).order_by("-pk")
        return [(job.pk, job) for job in found[:limit]]

    def render(job: Job) -> dict[str, Any]:
        return {"job": job, "at": job.created}

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


def undone_by(job: Job) -> int | None:
    """Return the number of the job that undoes one; nothing has undone one that was made just now."""
    number: int | None = getattr(job, "undone_by_id", None)
    return number


def describe_job(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "mode": job.mode,
        "dry_run": job.dry_run,
        "school": job.school.key,
        "program": str(job.program.uuid) if job.program is not None else None,
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
        "undoes": job.undoes_id,
        "undone_by": undone_by(job),
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
