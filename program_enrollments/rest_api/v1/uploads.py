"""Uploads of files about enrollments and student IDs (docs/api.rst, Jobs)."""

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
from program_enrollments.rest_api.endpoints import Endpoint, ProgramEndpoint, SchoolEndpoint
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.uploads import SIZE_SETTING, receive_file
from program_enrollments.rest_api.v1.jobs import job_url, render_job

LEAVING = (ProgramStatus.SUSPENDED.value, ProgramStatus.CANCELED.value, ProgramStatus.ENDED.value)
COUNT = re.compile(r"\d{1,9}", re.ASCII)
OF_EVERY_FILE = ("mode", "dry_run", "rows", "sha256")
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


class Upload(Endpoint):
    """Receives a file, and makes a job of it.

    The file is on disk before anything is decided about a repetition.
    """

    permissions = {"POST": Permission.WRITE_ENROLLMENTS}
    size_setting = SIZE_SETTING
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
        self.refuse_unknown_parameters()
        self.read_options()
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

    def read_options(self) -> None:
        """Read what is to be done with the file, before the file itself. Raises InvalidParameter."""
        raise NotImplementedError

    def read_rows(self) -> int | None:
        """Return how many rows the sender has counted."""
        text = self.parameters.text("rows")
        if text is not None and not COUNT.fullmatch(text):
            raise InvalidParameter(parameter="rows", detail="rows must be a whole number, such as 1200.")
        return int(text) if text is not None else None

    def read_digest(self) -> str | None:
        """Return the digest that the sender has computed."""
        text = self.parameters.text("sha256")
        if text is not None and not DIGEST.fullmatch(text):
            raise InvalidParameter(parameter="sha256", detail="sha256 must be 64 hexadecimal digits.")
        return text

    def accepted(self, job: api.Job) -> Response:
        """Return a new job, and where it is found."""
        location = job_url(self.request, job)
        return Response(render_job(self.request, job), status=202, headers={"Location": location})


class EnrollmentUpload(Upload, ProgramEndpoint):
    """Receives a file about a program's enrollments."""

    kind: ClassVar[JobKind]

    options_given: api.UploadOptions

    def read_options(self) -> None:
        parameters = self.parameters
        mode = JobMode(parameters.choice("mode", words=JobMode.values) or JobMode.UPSERT)
        leaving = parameters.choice("leaving_status", words=LEAVING)
        if leaving is not None and mode != JobMode.SNAPSHOT:
            raise InvalidParameter(
                parameter="leaving_status", detail="leaving_status has a meaning only with mode=snapshot."
            )
        self.options_given = api.UploadOptions(
            mode=mode,
            dry_run=parameters.boolean("dry_run") or False,
            cascade=parameters.boolean("cascade") or False,
            leaving_status=ProgramStatus(leaving) if leaving else ProgramStatus.CANCELED,
            rows=self.read_rows(),
            sha256=self.read_digest(),
        )

    def accept(self) -> Response:
        """Make the job, and return it."""
        job = api.upload_file(
            program=self.program,
            kind=self.kind,
            sent=self.received(),
            options=self.options_given,
            origin=self.origin(),
        )
        return self.accepted(job)


class ProgramUpload(EnrollmentUpload):
    """`programs/{program}/enrollments/upload/`."""

    kind = JobKind.PROGRAM_ENROLLMENTS
    query = {"POST": (*OF_EVERY_FILE, "cascade", "leaving_status")}

    def post(self, request: Request, program: str) -> Response:
        return self.accept()


class CourseUpload(EnrollmentUpload):
    """`programs/{program}/course_enrollments/upload/`."""

    kind = JobKind.COURSE_ENROLLMENTS
    query = {"POST": OF_EVERY_FILE}

    def post(self, request: Request, program: str) -> Response:
        return self.accept()


class RekeyUpload(Upload, SchoolEndpoint):
    """`schools/{school}/student_keys/upload/`."""

    query = {"POST": (*OF_EVERY_FILE, "honor_old_until")}

    options_given: api.RekeyOptions

    def read_options(self) -> None:
        self.parameters.choice("mode", words=(JobMode.UPSERT.value,))
        self.options_given = api.RekeyOptions(
            dry_run=self.parameters.boolean("dry_run") or False,
            honor_old_until=self.parameters.day("honor_old_until"),
            rows=self.read_rows(),
            sha256=self.read_digest(),
        )

    def post(self, request: Request, school: str) -> Response:
        job = api.upload_rekeys(
            school=self.school, sent=self.received(), options=self.options_given, origin=self.origin()
        )
        return self.accepted(job)
