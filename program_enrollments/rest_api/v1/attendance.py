"""Attendance in a course run of a program, as the host recorded it."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.rest_api.endpoints import CourseEndpoint
from program_enrollments.rest_api.lists import choose_status, read_paging
from program_enrollments.rest_api.openapi.descriptions import describe
from program_enrollments.rest_api.openapi.operations import reports as described


class AttendanceList(CourseEndpoint):
    """`…/attendance/`: a row for every learner with an account, whether they ever came or not."""

    permissions = {"GET": Permission.READ_REPORTS}

    @describe(described.ATTENDANCE)
    def get(self, request: Request, program: str, course: str) -> Response:
        cursor, page_size = read_paging(request)
        page = api.fetch_attendance(
            program=self.program,
            course_run=self.course_run,
            since=self.parameters.day("since"),
            cursor=cursor,
            page_size=page_size,
        )
        return self.page_response(page, status=choose_status(page.rows))
