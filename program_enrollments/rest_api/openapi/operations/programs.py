"""Programs and their course runs, and the caller's own programs."""

from __future__ import annotations

from program_enrollments.exceptions import BadCursor
from program_enrollments.rest_api.errors import InvalidParameter
from program_enrollments.rest_api.openapi import query
from program_enrollments.rest_api.openapi.descriptions import Answer, Operation, page_example, page_of, ref

PROGRAM = {
    "uuid": "aaaaaaaa-0000-4000-8000-000000000001",
    "program_key": "uni-a-mcs",
    "program_title": "Master of Computer Science",
    "program_url": "https://uni-a.example/mcs",
    "program_type": "Masters",
    "school": "uni-a",
    "permissions": ["metadata", "read_enrollments", "write_enrollments"],
}
CURRICULUM = {"uuid": "aaaaaaaa-0000-4000-8000-000000000011", "name": "MCS 2026", "is_active": True}
COURSE = {
    "course_id": "course-v1:UniA+CS101+2026",
    "course_title": "Algorithms",
    "course_url": "",
    "start": "2026-09-01T08:00:00Z",
    "end": None,
}

LIST = Operation(
    "listPrograms",
    "Every program the caller has any grant on",
    "Programs",
    {200: Answer("A page of programs.", page_of("Program"), page_example(PROGRAM))},
    parameters=(
        *query.PAGING,
        query.text("school", "Only programs of the school with this key.", "uni-a"),
        query.text("type", "Only programs of this type, in any letter case.", "Masters"),
        query.text("q", "Only programs with these words in title or key.", "computer"),
    ),
    problems=(BadCursor(), InvalidParameter(parameter="q", detail="q must not be blank. Leave it out to not use it.")),
)
DETAIL = Operation(
    "getProgram",
    "One program, with its curricula",
    "Programs",
    {200: Answer("The program.", ref("ProgramDetail"), {**PROGRAM, "curricula": [CURRICULUM]})},
)
COURSES = Operation(
    "listCourseRuns",
    "The course runs of a program",
    "Programs",
    {
        200: Answer(
            "A page of course runs.",
            page_of("CourseRun"),
            page_example({**COURSE, "external_course_key": "CS-101", "curriculum_uuid": CURRICULUM["uuid"]}),
        )
    },
    description="A course run that is part of several curricula is a row of each.",
    parameters=(
        *query.PAGING,
        query.uuid("curriculum", "Only course runs of this curriculum.", str(CURRICULUM["uuid"])),
    ),
    problems=(BadCursor(), InvalidParameter(parameter="curriculum", detail="curriculum must be a UUID.")),
)
OWN = Operation(
    "listOwnPrograms",
    "The programs that the caller is a learner of",
    "Me",
    {
        200: Answer(
            "A page of one's own programs.",
            page_of("OwnProgram"),
            page_example(
                {
                    "uuid": PROGRAM["uuid"],
                    "program_title": PROGRAM["program_title"],
                    "program_url": PROGRAM["program_url"],
                    "school": {"key": "uni-a", "name": "University A", "logo_url": ""},
                    "status": "enrolled",
                    "courses": [{**COURSE, "status": "active"}],
                }
            ),
        )
    },
    description="Always those of the signed-in person. The query cannot name anybody else.",
    parameters=query.PAGING,
    problems=(BadCursor(),),
)
