"""Jobs: the list, single ones, their rows and results, and decisions (docs/api.rst, Jobs)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import JobKind, JobState, Permission
from program_enrollments.rest_api.bodies import BodyError, read_object, read_text, refuse
from program_enrollments.rest_api.endpoints import Endpoint
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.exports import JOB_ROW_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGING, read_paging
from program_enrollments.rest_api.renderers import CsvRenderer, JsonRenderer

LINE = re.compile(r"\d{1,9}", re.ASCII)


def job_url(request: Request, job: api.Job, *, name: str = "job") -> str:
    """Return the absolute URL of a job, or of what `name` says of it."""
    match = request.resolver_match
    namespace = match.namespace if match is not None else ""
    return str(request.build_absolute_uri(reverse(f"{namespace}:{name}", args=[job.pk])))


def render_job(request: Request, job: api.Job) -> dict[str, Any]:
    """Return a job as it is shown, with the address of its result once there is one."""
    url = job_url(request, job, name="job-result") if api.has_result(job=job) else None
    return {**api.describe_job(job), "result_url": url}


class JobList(Endpoint):
    """`jobs/`: the jobs that the caller may see, newest first."""

    query = {"GET": ("school", "program", "kind", "state", *PAGING)}

    def get(self, request: Request) -> Response:
        cursor, page_size = read_paging(request)
        page = api.fetch_jobs(
            access=self.access,
            school=self.parameters.text("school"),
            program=self.parameters.uuid("program"),
            kind=self.parameters.choice("kind", words=JobKind.values),
            state=self.parameters.choice("state", words=JobState.values),
            render=lambda job: render_job(request, job),
            cursor=cursor,
            page_size=page_size,
        )
        return self.page_response(page)


class JobEndpoint(Endpoint):
    """An endpoint below a job, for those who have the method's permission on its program.

    A re-key takes the permission to write on its whole school. Everybody may read the jobs that they made.
    """

    permissions = {"GET": Permission.READ_ENROLLMENTS}

    job: api.Job

    def authorize(self, request: Request) -> api.Scope:
        access = api.access_of(user=request.user)
        self.job = api.get_job(access=access, number=self.kwargs["job"], permission=self.permission_for(request))
        return api.Scope(access, self.job.program, school=self.job.school)


class JobDetail(JobEndpoint):
    """`jobs/{job}/`."""

    def get(self, request: Request, job: str) -> Response:
        return Response(render_job(request, self.job))


class JobRows(JobEndpoint):
    """`jobs/{job}/rows/`: what became of the lines that were changed or refused, and who left."""

    exports = True
    query = {"GET": ("word", "changed", "line", "format", *PAGING)}

    def get(self, request: Request, job: str) -> HttpResponseBase:
        line = self.parameters.text("line")
        if line is not None and not LINE.fullmatch(line):
            raise InvalidParameter(parameter="line", detail="line must be a whole number, such as 17.")
        filters = api.JobRowFilters(
            word=self.parameters.text("word"),
            changed=self.parameters.boolean("changed"),
            line=int(line) if line is not None else None,
        )
        if wants_csv(request):
            rows = api.walk_job_rows(job=self.job, filters=filters, page_size=read_export_page_size(request))
            return self.export_response(columns=JOB_ROW_COLUMNS, rows=rows, name=f"job-{self.job.pk}-rows")
        cursor, page_size = read_paging(request)
        page = api.fetch_job_rows(job=self.job, filters=filters, cursor=cursor, page_size=page_size)
        return self.page_response(page)


class JobResult(JobEndpoint):
    """`jobs/{job}/result/`: the file with what became of each line."""

    query = {"GET": ("format",)}
    renderer_classes = [JsonRenderer, CsvRenderer]

    def get(self, request: Request, job: str) -> HttpResponseBase:
        return self.file_response(blocks=api.write_result(job=self.job), name=f"job-{self.job.pk}-result")


class Decision(JobEndpoint):
    """A decision about a job, with the reason that the body gives."""

    permissions = {"POST": Permission.WRITE_ENROLLMENTS}


class Approve(Decision):
    """`jobs/{job}/approve/`."""

    def post(self, request: Request, job: str) -> Response:
        body = read_object(request)
        approved = api.approve_job(
            job=self.job,
            effects=read_text(body, "effects"),
            removals=_read_truth(body, "removals"),
            origin=self.origin(reason=read_text(body, "reason")),
        )
        return Response(render_job(request, approved))


class Cancel(Decision):
    """`jobs/{job}/cancel/`."""

    def post(self, request: Request, job: str) -> Response:
        reason = read_text(read_object(request), "reason")
        return Response(render_job(request, api.cancel_job(job=self.job, origin=self.origin(reason=reason))))


class Resume(Decision):
    """`jobs/{job}/resume/`."""

    def post(self, request: Request, job: str) -> Response:
        reason = read_text(read_object(request), "reason")
        return Response(render_job(request, api.resume_job(job=self.job, origin=self.origin(reason=reason))))


class Undo(Decision):
    """`jobs/{job}/undo/`: a job of its own that puts back what this one changed."""

    query = {"POST": ("dry_run",)}

    def post(self, request: Request, job: str) -> Response:
        reason = read_text(read_object(request), "reason")
        dry_run = self.parameters.boolean("dry_run") or False
        undo = api.undo_job(job=self.job, origin=self.origin(reason=reason), dry_run=dry_run)
        return Response(render_job(request, undo), status=202, headers={"Location": job_url(request, undo)})


def _read_truth(value: Mapping[str, Any], name: str) -> bool:
    given = value.get(name)
    if not isinstance(given, bool):
        raise refuse(BodyError(None, f"/{name}", "not_a_boolean", f"{name} must be true or false."))
    return given
