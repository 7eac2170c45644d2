"""Learners, and the feed of changes."""

from __future__ import annotations

from program_enrollments.exceptions import BadCursor, LearnerDoesNotExist
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.exports import CHANGE_COLUMNS
from program_enrollments.rest_api.openapi import query
from program_enrollments.rest_api.openapi.descriptions import Answer, Operation, Parameter, changed, csv_of, ref

CHANGE = {
    "id": 4711,
    "at": "2026-09-01T08:00:00Z",
    "student_key": "student1",
    "course_id": None,
    "kind": "program_enrollment",
    "before": None,
    "after": "enrolled",
    "actor": "uni-a-sis",
    "source": "api",
    "request_id": "nightly-2026-09-01",
    "job_id": None,
    "reason": "",
}

LEARNER = Operation(
    "getLearner",
    "Why isn't this student in?",
    "Learners",
    {
        200: Answer(
            "All that is known of a learner in this program.",
            ref("Learner"),
            {
                "student_key": "student1",
                "email": "student1@uni-a.example",
                "link": {
                    "state": "waiting",
                    "how": None,
                    "at": None,
                    "detail": "Nobody has signed in through the school with this student ID yet.",
                },
                "username": "",
                "program_enrollment": {
                    "status": "enrolled",
                    "curriculum_uuid": "aaaaaaaa-0000-4000-8000-000000000011",
                    "real": False,
                    "created": "2026-09-01T08:00:00Z",
                    "modified": "2026-09-01T08:00:00Z",
                    "keep": {"by": "support", "reason": "Appeal pending", "until": "2026-12-31"},
                },
                "course_enrollments": [
                    {
                        "course_id": "course-v1:UniA+CS101+2026",
                        "status": "active",
                        "real": False,
                        "course_staff": False,
                        "host": None,
                        "problem": None,
                        "keep": None,
                    }
                ],
                "changes": [CHANGE],
            },
        )
    },
    problems=(LearnerDoesNotExist(),),
)
SEARCH = changed(
    LEARNER,
    name="findLearner",
    summary="The same, by student ID or e-mail address in the query",
    description="At least one of student_key and email must be given; given both, both must fit.",
    parameters=(
        query.text("student_key", "The student ID.", "student1"),
        query.text("email", "The e-mail address.", "student1@uni-a.example"),
    ),
    problems=(
        LearnerDoesNotExist(),
        InvalidParameter(parameter="student_key", detail="Say which learner: give student_key or email."),
    ),
)
CHANGES = Operation(
    "listChanges",
    "What changed in a program, in the order in which it did",
    "Changes",
    {
        200: Answer(
            "A page of changes.",
            ref("ChangesPage"),
            {"next": None, "cursor": "MS40NzEx", "results": [CHANGE]},
            csv_of(
                ",".join(CHANGE_COLUMNS), ",".join("" if value is None else str(value) for value in CHANGE.values())
            ),
        )
    },
    description="Keep the cursor and send it as after the next time, also that of an empty page: nothing is ever "
    "skipped.",
    parameters=(
        Parameter(
            "after", "The cursor of the last page read; from the beginning without it.", {"type": "string"}, "MS40NzEx"
        ),
        query.PAGE_SIZE,
        query.FORMAT,
    ),
    problems=(BadCursor(),),
)
