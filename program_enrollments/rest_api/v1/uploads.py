"""Uploads of files about program and course enrollments (docs/api.rst, Jobs)."""

from __future__ import annotations

import hashlib
import re
from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import JobKind, JobMode, Permission, ProgramStatus
from program_enrollments.rest_api.endpoints import ProgramEndpoint
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.openapi.descriptions import describe
from program_enrollments.rest_api.openapi.operations import jobs as described
from program_enrollments.rest_api.uploads import SIZE_SETTING, receive_file
from program_enrollments.rest_api.v1.jobs import job_url, render_job

LEAVING = (ProgramStatus.SUSPENDED.value, ProgramStatus.CANCELED.value, ProgramStatus.ENDED.value)
COUNT = re.compile(r"\d{1,9}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


class Upload(ProgramEndpoint):
    """Receives a file, and makes a job of it.

    The file is on disk before anything is decided about a repetition.
    """

    permissions = {"POST": Permission.WRITE_ENROLLMENTS}
    size_setting = SIZE_SETTING
    kind: ClassVar[JobKind]

    options_given: api.UploadOptions
    sent: api.SentFile | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer as every endpoint, and let go of the file then."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self.sent is not None:
                self.sent.file.close()

    def take_turn(self) -> Any:
        """Read parameters and file first: a key stands for both, whatever the form's boundary is."""
        if self.request.method != "POST":
            return super().take_turn()
        self.refuse_unknown_parameters(getattr(self, "post"))  # noqa: B009  (each kind of upload has its own)
        self.options_given = self.read_options()
        self.sent = receive_file(self.request._request)  # noqa: SLF001  (DRF would parse the body)
        return super().take_turn()

    def fingerprint(self) -> str:
        """Return the digest of path, parameters and file."""
        query = sorted((name, values) for name, values in self.request.query_params.lists())
        parts = (self.request.path, repr(query), self.received().sha256)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def received(self) -> api.SentFile:
        """Return the file, which `take_turn` has read."""
        if self.sent is None:
            raise LookupError("The file is read before the method is called.")
        return self.sent

    def read_options(self) -> api.UploadOptions:
        """Return what is to be done with the file. Raises InvalidParameter."""
        parameters = self.parameters
        mode = JobMode(parameters.choice("mode", words=JobMode.values) or JobMode.UPSERT)
        leaving = parameters.choice("leaving_status", words=LEAVING)
        if leaving is not None and mode != JobMode.SNAPSHOT:
            raise InvalidParameter(
                parameter="leaving_status", detail="leaving_status has a meaning only with mode=snapshot."
            )
        return api.UploadOptions(
            mode=mode,
            dry_run=parameters.boolean("dry_run") or False,
            cascade=parameters.boolean("cascade") or False,
            leaving_status=ProgramStatus(leaving) if leaving else ProgramStatus.CANCELED,
            rows=self._read_rows(),
            sha256=self._read_digest(),
        )

    def _read_rows(self) -> int | None:
        text = self.parameters.text("rows")
        if text is not None and not COUNT.fullmatch(text):
            raise InvalidParameter(parameter="rows", detail="rows must be a whole number, such as 1200.")
        return int(text) if text is not None else None

    def _read_digest(self) -> str | None:
        text = self.parameters.text("sha256")
        if text is not None and not DIGEST.fullmatch(text):
            raise InvalidParameter(parameter="sha256", detail="sha256 must be 64 hexadecimal digits.")
        return text

    def accept(self, request: Request) -> Response:
        """Make the job, and say where it is found."""
        job = api.upload_file(
            program=self.program,
            kind=self.kind,
            sent=self.received(),
            options=self.options_given,
            origin=self.origin(),
        )
        return Response(render_job(request, job), status=202, headers={"Location": job_url(request, job)})


class ProgramUpload(Upload):
    """`programs/{program}/enrollments/upload/`."""

    kind = JobKind.PROGRAM_ENROLLMENTS

    @describe(described.UPLOAD_PROGRAM)
    def post(self, request: Request, program: str) -> Response:
        return self.accept(request)


class CourseUpload(Upload):
    """`programs/{program}/course_enrollments/upload/`."""

    kind = JobKind.COURSE_ENROLLMENTS

    @describe(described.UPLOAD_COURSE)
    def post(self, request: Request, program: str) -> Response:
        return self.accept(request)
