"""Program enrollments: the list, and the writes (docs/api.rst, Program enrollments)."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import Permission, ProgramStatus, Verb
from program_enrollments.rest_api.bodies import read_json
from program_enrollments.rest_api.endpoints import ProgramEndpoint
from program_enrollments.rest_api.exports import PROGRAM_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGING, read_paging
from program_enrollments.rest_api.parameters import ENROLLMENT_FILTERS, read_enrollment_filters
from program_enrollments.rest_api.rows import read_program_rows, rows_response

WRITING = ("dry_run", "detail", "move_curriculum", "cascade")


class ProgramEnrollments(ProgramEndpoint):
    """`programs/{program}/enrollments/`."""

    exports = True
    permissions = {
        "GET": Permission.READ_ENROLLMENTS,
        "POST": Permission.WRITE_ENROLLMENTS,
        "PATCH": Permission.WRITE_ENROLLMENTS,
        "PUT": Permission.WRITE_ENROLLMENTS,
    }
    query = {
        "GET": (*PAGING, *ENROLLMENT_FILTERS, "format"),
        "POST": WRITING,
        "PATCH": WRITING,
        "PUT": WRITING,
    }

    def get(self, request: Request, program: str) -> HttpResponseBase:
        filters = read_enrollment_filters(self.parameters, statuses=ProgramStatus.values)
        if wants_csv(request):
            rows = api.walk_program_enrollments(
                program=self.program, filters=filters, page_size=read_export_page_size(request)
            )
            return self.export_response(columns=PROGRAM_COLUMNS, rows=rows, name="program-enrollments")
        cursor, page_size = read_paging(request)
        page = api.fetch_program_enrollments(program=self.program, filters=filters, cursor=cursor, page_size=page_size)
        return self.page_response(page)

    def post(self, request: Request, program: str) -> Response:
        return self._write(request, Verb.CREATE)

    def patch(self, request: Request, program: str) -> Response:
        return self._write(request, Verb.UPDATE)

    def put(self, request: Request, program: str) -> Response:
        return self._write(request, Verb.UPSERT)

    def _write(self, request: Request, verb: Verb) -> Response:
        detailed = self.parameters.boolean("detail") or False
        move_curriculum = self.parameters.boolean("move_curriculum") or False
        outcomes = api.write_program_enrollments(
            program=self.program,
            verb=verb,
            move_curriculum=move_curriculum,
            cascade=self.parameters.boolean("cascade") or False,
            rows=read_program_rows(read_json(request), with_curricula=move_curriculum or verb != Verb.UPDATE),
            origin=self.origin(),
            identity_reach=self.identity_reach,
            progress=self.progress,
            dry_run=self.parameters.boolean("dry_run") or False,
        )
        return rows_response(outcomes, detailed=detailed)
