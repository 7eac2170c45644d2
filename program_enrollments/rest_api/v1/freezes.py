"""Freezing grades, reopening them, and the versions there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from program_enrollments import api
from program_enrollments.data import Origin, Permission
from program_enrollments.exceptions import FreezeDoesNotExist
from program_enrollments.rest_api.bodies import read_object, read_text
from program_enrollments.rest_api.endpoints import CourseEndpoint, ProgramEndpoint
from program_enrollments.rest_api.exports import GRADE_COLUMNS, wants_csv
from program_enrollments.rest_api.idempotency import forget
from program_enrollments.rest_api.lists import PAGING, read_paging
from program_enrollments.rest_api.renderers import JsonRenderer

VERSION = re.compile(r"[1-9]\d{0,9}", re.ASCII)


MAX_ROWS_IN_MEMORY = 10_000
"""Rows up to which a version is answered in one piece, with its length; a longer one is streamed."""


def read_version(text: str) -> int:
    """Return the version number in a path. Raises FreezeDoesNotExist for anything else."""
    if not VERSION.fullmatch(text):
        raise FreezeDoesNotExist
    return int(text)


class Reasoned(ProgramEndpoint):
    """An endpoint whose body is `{reason}`."""

    def reasoned_origin(self, request: Request) -> Origin:
        """Return who asks for this, and why. Raises InvalidBody for a body without a usable reason."""
        return self.origin(reason=read_text(read_object(request), "reason"))


class Freeze(Reasoned, CourseEndpoint):
    """`…/grades/freeze/`: freeze every final grade of the course run in the program as it stands."""

    permissions = {"POST": Permission.FREEZE_GRADES}

    def post(self, request: Request, program: str, course: str) -> Response:
        version = api.freeze_grades(
            program=self.program, course_run=self.course_run, origin=self.reasoned_origin(request)
        )
        return Response(version.receipt(), status=201)


class ProgramFreeze(Reasoned):
    """`programs/{program}/grades/freeze/`: freeze the course runs of the program that are not frozen yet."""

    permissions = {"POST": Permission.FREEZE_GRADES}

    def post(self, request: Request, program: str) -> Response:
        entries = api.freeze_program_grades(program=self.program, origin=self.reasoned_origin(request))
        failed = any(isinstance(entry, api.FreezeFailure) for entry in entries)
        response = Response([_show(entry) for entry in entries], status=207 if failed else 201)
        if failed:
            forget(response)
        return response


def _show(entry: api.FrozenVersion | api.FreezeFailure) -> dict[str, Any]:
    if isinstance(entry, api.FreezeFailure):
        return {"course_id": entry.course_id, "error": entry.error}
    return {"course_id": entry.course_id, **entry.receipt()}


class Reopen(Reasoned, CourseEndpoint):
    """`…/grades/reopen/`: end the version in force. It stays readable; the next freeze is a new one."""

    permissions = {"POST": Permission.REOPEN_GRADES}

    def post(self, request: Request, program: str, course: str) -> Response:
        version = api.reopen_grades(
            program=self.program, course_run=self.course_run, origin=self.reasoned_origin(request)
        )
        return Response(version.describe())


class FreezeList(CourseEndpoint):
    """`…/grades/freezes/`: the versions, oldest first."""

    permissions = {"GET": Permission.READ_REPORTS}
    query = {"GET": PAGING}

    def get(self, request: Request, program: str, course: str) -> Response:
        cursor, page_size = read_paging(request)
        page = api.fetch_freezes(program=self.program, course_run=self.course_run, cursor=cursor, page_size=page_size)
        return self.page_response(page)


class FreezeDetail(CourseEndpoint):
    """`…/grades/freezes/{version}/`: a version with all its rows, as JSON or as CSV."""

    permissions = {"GET": Permission.READ_REPORTS}
    query = {"GET": ("format",)}
    exports = True

    def get(self, request: Request, program: str, course: str, version: str) -> HttpResponseBase:
        frozen = api.get_freeze(program=self.program, course_run=self.course_run, version=read_version(version))
        if wants_csv(request):
            name = f"grades-version-{frozen.version.version}"
            return self.export_response(columns=GRADE_COLUMNS, rows=frozen.rows(), name=name)
        if frozen.version.count <= MAX_ROWS_IN_MEMORY:
            return HttpResponse("".join(_write(frozen)), content_type=JsonRenderer.media_type)
        return StreamingHttpResponse(_write(frozen), content_type=JsonRenderer.media_type)


def _write(frozen: api.FrozenGrades) -> Iterator[str]:
    """Yield a JSON object in pieces: the version, the counts `acknowledged`, and the rows as `results`."""
    described = {**frozen.version.describe(), "acknowledged": frozen.acknowledged}
    head = json.dumps(described, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))
    yield f'{head[:-1]},"results":['
    for number, row in enumerate(frozen.rows()):
        yield ("," if number else "") + json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    yield "]}"
