"""Acknowledgements: the university reports what became of each frozen grade (docs/grades.rst)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import AcknowledgementState, Permission
from program_enrollments.rest_api.bodies import read_json
from program_enrollments.rest_api.endpoints import CourseEndpoint
from program_enrollments.rest_api.lists import PAGING, read_paging
from program_enrollments.rest_api.rows import read_acknowledgements, rows_response
from program_enrollments.rest_api.v1.freezes import read_version

STATES = (*AcknowledgementState.values, "open")


class Acknowledgements(CourseEndpoint):
    """`…/grades/freezes/{version}/acknowledgements/`."""

    permissions = {"GET": Permission.READ_REPORTS, "POST": Permission.FREEZE_GRADES}
    query = {"GET": (*PAGING, "state"), "POST": ("dry_run", "detail")}

    def get(self, request: Request, program: str, course: str, version: str) -> Response:
        state = self.parameters.choice("state", words=STATES)
        cursor, page_size = read_paging(request)
        reported = api.fetch_acknowledgements(
            program=self.program,
            course_run=self.course_run,
            version=read_version(version),
            cursor=cursor,
            page_size=page_size,
            state=state,
        )
        return self.page_response(reported.page, acknowledged=reported.acknowledged)

    def post(self, request: Request, program: str, course: str, version: str) -> Response:
        detailed = self.parameters.boolean("detail") or False
        dry_run = self.parameters.boolean("dry_run") or False
        outcomes = api.acknowledge_grades(
            program=self.program,
            course_run=self.course_run,
            version=read_version(version),
            rows=read_acknowledgements(read_json(request)),
            origin=self.origin(),
            dry_run=dry_run,
        )
        return rows_response(outcomes, detailed=detailed)
