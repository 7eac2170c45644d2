"""Student IDs of a school (docs/api.rst, Student IDs)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import Permission, RowOutcome
from program_enrollments.rest_api.bodies import read_json
from program_enrollments.rest_api.endpoints import SchoolEndpoint
from program_enrollments.rest_api.rows import read_student_keys, rows_response


class Release(SchoolEndpoint):
    """`schools/{school}/student_keys/release/`: free student IDs for other students."""

    permissions = {"POST": Permission.WRITE_ENROLLMENTS}
    query = {"POST": ("dry_run", "detail")}

    def post(self, request: Request, school: str) -> Response:
        detailed = self.parameters.boolean("detail") or False
        student_keys = read_student_keys(read_json(request))
        dry_run = self.parameters.boolean("dry_run") or False
        words = api.release_student_keys(
            school=self.school, student_keys=student_keys, origin=self.origin(), dry_run=dry_run
        )
        outcomes = [
            RowOutcome(
                key,
                word.value,
                word == api.Released.RELEASED,
                detail="" if word == api.Released.RELEASED else str(word.label),
            )
            for key, word in zip(student_keys, words, strict=True)
        ]
        return rows_response(outcomes, detailed=detailed)
