"""Grades of a course run in a program: live from the host, or frozen."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.rest_api.endpoints import CourseEndpoint
from program_enrollments.rest_api.exports import GRADE_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGING, choose_status, read_paging


class GradeList(CourseEndpoint):
    """`…/grades/`: per learner with an account, the grade or the reason why there is none."""

    exports = True
    permissions = {"GET": Permission.READ_REPORTS}
    query = {"GET": (*PAGING, "format")}

    def get(self, request: Request, program: str, course: str) -> HttpResponseBase:
        if wants_csv(request):
            rows = api.walk_grades(
                program=self.program, course_run=self.course_run, page_size=read_export_page_size(request)
            )
            return self.export_response(columns=GRADE_COLUMNS, rows=rows, name="grades")
        cursor, page_size = read_paging(request)
        grades = api.fetch_grades(program=self.program, course_run=self.course_run, cursor=cursor, page_size=page_size)
        return self.page_response(
            grades.page,
            status=choose_status(grades.page.rows),
            frozen=grades.frozen,
            frozen_at=grades.frozen_at,
            version=grades.version,
        )
