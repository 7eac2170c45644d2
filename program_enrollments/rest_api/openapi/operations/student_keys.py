"""Student IDs of a school."""

from __future__ import annotations

from program_enrollments.exceptions import SchoolDoesNotExist, TooManyRows
from program_enrollments.rest_api.errors import InvalidBody
from program_enrollments.rest_api.openapi import query
from program_enrollments.rest_api.openapi.descriptions import Answer, Body, Operation, ref

RELEASE = Operation(
    "releaseStudentKeys",
    "Free student IDs, so that they can be given to other students",
    "Student IDs",
    {
        200: Answer("All IDs are free now.", ref("ReleaseAnswer"), {"A-1001": "released"}),
        207: Answer("Some IDs are free now.", ref("ReleaseAnswer"), {"A-1001": "released", "A-1002": "unknown"}),
        422: Answer("No ID could be released.", ref("ReleaseAnswer"), {"A-1002": "unknown"}),
    },
    description="The learners keep their accounts and enrollments, but do not sign in with these IDs any more. The "
    "next person who is enrolled or signs in with one has a record and an account of their own.",
    parameters=query.WRITING,
    body=Body({"type": "array", "items": ref("StudentKeyRow")}, [{"student_key": "A-1001"}]),
    problems=(
        SchoolDoesNotExist(),
        TooManyRows(limit=10_000, received=10_001),
        InvalidBody(
            "The row has no student_key. Nothing was written.",
            errors=[
                {
                    "row": 0,
                    "pointer": "/0/student_key",
                    "code": "missing",
                    "detail": "The row has no student_key.",
                }
            ],
        ),
    ),
)
