"""Programs that the caller may see, and their course runs."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.rest_api.endpoints import Endpoint, ProgramEndpoint
from program_enrollments.rest_api.lists import PAGING, read_paging


class ProgramList(Endpoint):
    """`programs/`: every program that the caller has any grant on."""

    query = {"GET": (*PAGING, "school", "type", "q")}

    def get(self, request: Request) -> Response:
        cursor, page_size = read_paging(request)
        page = api.fetch_programs(
            access=self.access,
            school=self.parameters.text("school"),
            type_=self.parameters.text("type"),
            words=self.parameters.text("q"),
            cursor=cursor,
            page_size=page_size,
        )
        return self.page_response(page)


class ProgramDetail(ProgramEndpoint):
    """`programs/{program}/`: one program with its curricula."""

    def get(self, request: Request, program: str) -> Response:
        return Response(api.describe_program(access=self.access, program=self.program))


class CourseRunList(ProgramEndpoint):
    """`programs/{program}/courses/`: the course runs of a program's curricula.

    There is one row per curriculum that a run is part of.
    """

    query = {"GET": (*PAGING, "curriculum")}

    def get(self, request: Request, program: str) -> Response:
        cursor, page_size = read_paging(request)
        page = api.fetch_course_runs(
            program=self.program, curriculum=self.parameters.uuid("curriculum"), cursor=cursor, page_size=page_size
        )
        return self.page_response(page)
