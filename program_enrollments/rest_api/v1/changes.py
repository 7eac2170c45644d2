"""The feed of a program's changes."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.rest_api.endpoints import ProgramEndpoint
from program_enrollments.rest_api.exports import CHANGE_COLUMNS, read_export_page_size, wants_csv
from program_enrollments.rest_api.lists import PAGE_SIZE, page_url, read_paging

AFTER = "after"


class ChangeList(ProgramEndpoint):
    """`changes/`: the changes after the cursor `after`.

    A client that keeps the answer's `cursor` misses nothing.
    """

    exports = True
    permissions = {"GET": Permission.READ_ENROLLMENTS}
    query = {"GET": ("after", PAGE_SIZE, "format")}

    def get(self, request: Request, program: str) -> HttpResponseBase:
        after = request.query_params.get(AFTER) or None
        if wants_csv(request):
            rows = api.walk_changes(program=self.program, after=after, page_size=read_export_page_size(request))
            return self.export_response(columns=CHANGE_COLUMNS, rows=rows, name="changes")
        page = api.fetch_changes(program=self.program, after=after, page_size=read_paging(request).page_size)
        following = page_url(request, page.cursor, parameter=AFTER) if page.has_more else None
        return Response({"next": following, "cursor": page.cursor, "results": page.rows})
