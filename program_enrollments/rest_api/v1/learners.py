"""One learner of a program, with everything that explains why a student isn't in."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.rest_api.endpoints import ProgramEndpoint
from program_enrollments.rest_api.errors import InvalidParameter


class LearnerDetail(ProgramEndpoint):
    """`learners/{student_key}/`: a learner by student ID or by e-mail address.

    The path is percent-encoded, `/` included.
    """

    permissions = {"GET": Permission.READ_ENROLLMENTS}

    def get(self, request: Request, program: str, student_key: str) -> Response:
        return Response(api.look_up_learner(program=self.program, name=student_key))


class LearnerSearch(ProgramEndpoint):
    """`learners/?student_key=` or `?email=`: a learner by an identity outside of the path."""

    permissions = {"GET": Permission.READ_ENROLLMENTS}
    query = {"GET": ("student_key", "email")}

    def get(self, request: Request, program: str) -> Response:
        student_key, email = self.parameters.text("student_key"), self.parameters.text("email")
        if student_key is None and email is None:
            raise InvalidParameter(parameter="student_key", detail="Say which learner: give student_key or email.")
        return Response(api.look_up_learner(program=self.program, student_key=student_key or "", email=email or ""))
