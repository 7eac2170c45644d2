"""Course enrollments: the list, and the writes (docs/api.rst, Course enrollments)."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import CourseStatus, Permission, Verb
from program_enrollments.rest_api.bodies import read_json
from program_enrollments.rest_api.endpoints import CourseEndpoint, ProgramEndpoint
from program_enrollments.rest_api.exports import COURSE_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGING, read_paging
from program_enrollments.rest_api.parameters import ENROLLMENT_FILTERS, read_enrollment_filters
from program_enrollments.rest_api.rows import read_course_rows, rows_response

READING = (*PAGING, *ENROLLMENT_FILTERS, "format")
WRITING = ("dry_run", "detail")


class CourseEnrollmentReader(ProgramEndpoint):
    """An endpoint that lists course enrollments, and gives them as a file."""

    exports = True

    def read(self, request: Request, *, course_run: api.CourseRun | None) -> HttpResponseBase:
        """Return the list of a run through the program, or of all its runs."""
        filters = read_enrollment_filters(self.parameters, statuses=CourseStatus.values)
        if wants_csv(request):
            rows = api.walk_course_enrollments(
                program=self.program,
                course_run=course_run,
                filters=filters,
                page_size=read_export_page_size(request),
            )
            return self.export_response(columns=COURSE_COLUMNS, rows=rows, name="course-enrollments")
        cursor, page_size = read_paging(request)
        page = api.fetch_course_enrollments(
            program=self.program, course_run=course_run, filters=filters, cursor=cursor, page_size=page_size
        )
        return self.page_response(page)


class AllCourseEnrollments(CourseEnrollmentReader):
    """`programs/{program}/course_enrollments/`: the enrollments in all runs, one run after the other."""

    permissions = {"GET": Permission.READ_ENROLLMENTS}
    query = {"GET": READING}

    def get(self, request: Request, program: str) -> HttpResponseBase:
        return self.read(request, course_run=None)


class CourseEnrollments(CourseEnrollmentReader, CourseEndpoint):
    """`programs/{program}/courses/{course}/enrollments/`."""

    permissions = {
        "GET": Permission.READ_ENROLLMENTS,
        "POST": Permission.WRITE_ENROLLMENTS,
        "PATCH": Permission.WRITE_ENROLLMENTS,
        "PUT": Permission.WRITE_ENROLLMENTS,
    }
    query = {"GET": READING, "POST": WRITING, "PATCH": WRITING, "PUT": WRITING}

    def get(self, request: Request, program: str, course: str) -> HttpResponseBase:
        return self.read(request, course_run=self.course_run)

    def post(self, request: Request, program: str, course: str) -> Response:
        return self._write(request, Verb.CREATE)

    def patch(self, request: Request, program: str, course: str) -> Response:
        return self._write(request, Verb.UPDATE)

    def put(self, request: Request, program: str, course: str) -> Response:
        return self._write(request, Verb.UPSERT)

    def _write(self, request: Request, verb: Verb) -> Response:
        detailed = self.parameters.boolean("detail") or False
        outcomes = api.write_course_enrollments(
            program=self.program,
            course_run=self.course_run,
            verb=verb,
            rows=read_course_rows(read_json(request)),
            origin=self.origin(),
            identity_reach=self.identity_reach,
            progress=self.progress,
            dry_run=self.parameters.boolean("dry_run") or False,
        )
        return rows_response(outcomes, detailed=detailed)
