"""The caller's own programs. The query cannot name anybody else."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.rest_api.endpoints import Endpoint
from program_enrollments.rest_api.lists import PAGING, read_paging


class OwnProgramList(Endpoint):
    """`me/programs/`: the programs that the caller is a learner of, with their course runs."""

    query = {"GET": PAGING}

    def get(self, request: Request) -> Response:
        cursor, page_size = read_paging(request)
        return self.page_response(
            api.fetch_own_programs(user_id=self.access.user_id, cursor=cursor, page_size=page_size)
        )
