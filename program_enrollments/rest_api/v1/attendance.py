"""Attendance in a course run of a program, as the host recorded it."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.rest_api.endpoints import CourseEndpoint
from program_enrollments.rest_api.exports import ATTENDANCE_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGING, choose_status, read_paging


class AttendanceList(CourseEndpoint):
    """`…/attendance/`: a row for every learner with an account, whether they ever came or not."""

    exports = True
    permissions = {"GET": Permission.READ_REPORTS}
    query = {"GET": (*PAGING, "since", "format")}

    def get(self, request: Request, program: str, course: str) -> HttpResponseBase:
        since = self.parameters.day("since")
        if wants_csv(request):
            rows = api.walk_attendance(
                program=self.program,
                course_run=self.course_run,
                since=since,
                page_size=read_export_page_size(request),
            )
            return self.export_response(columns=ATTENDANCE_COLUMNS, rows=rows, name="attendance")
        cursor, page_size = read_paging(request)
        page = api.fetch_attendance(
            program=self.program,
            course_run=self.course_run,
            since=since,
            cursor=cursor,
            page_size=page_size,
        )
        return self.page_response(page, status=choose_status(page.rows))
