"""Program and course enrollments: the lists, and the writes."""

from __future__ import annotations

from program_enrollments.data import CourseStatus, ProgramStatus
from program_enrollments.exceptions import BadCursor, TooManyRows, WriteInterrupted
from program_enrollments.rest_api.errors import InvalidBody, InvalidParameter
from program_enrollments.rest_api.exports import COURSE_COLUMNS, PROGRAM_COLUMNS
from program_enrollments.rest_api.openapi import query
from program_enrollments.rest_api.openapi.descriptions import (
    Answer,
    Body,
    Operation,
    Parameter,
    changed,
    csv_of,
    page_example,
    page_of,
    ref,
)

CURRICULUM_UUID = "aaaaaaaa-0000-4000-8000-000000000011"
STRUCTURE = InvalidBody(
    "The row has no status. Nothing was written.",
    errors=[{"row": 0, "pointer": "/0/status", "code": "missing", "detail": "The row has no status."}],
)
WRITE_PROBLEMS = (
    STRUCTURE,
    TooManyRows(limit=10_000, received=10_001),
    WriteInterrupted({"student1": "enrolled"}),
)
STATUS_FILTER = InvalidParameter(parameter="status", detail="status must be one of the statuses.")

PROGRAM_LIST = Operation(
    "listProgramEnrollments",
    "Who is in a program",
    "Program enrollments",
    {
        200: Answer(
            "A page of program enrollments.",
            page_of("ProgramEnrollment"),
            page_example(
                {
                    "student_key": "student1",
                    "status": "enrolled",
                    "account_exists": False,
                    "curriculum_uuid": CURRICULUM_UUID,
                    "username": "",
                    "email": "student1@uni-a.example",
                }
            ),
            csv_of(",".join(PROGRAM_COLUMNS), f"student1,student1@uni-a.example,enrolled,{CURRICULUM_UUID},false,"),
        )
    },
    description="Learners with and without an account together, in one order. As CSV, email is the address that the "
    "school gave, so that the file can be uploaded as it is.",
    parameters=(*query.PAGING, *query.enrollment_filters(ProgramStatus.values), query.FORMAT),
    problems=(BadCursor(), STATUS_FILTER),
)

_PROGRAM_ANSWER = ref("ProgramAnswer")
CREATE_PROGRAM = Operation(
    "createProgramEnrollments",
    "Enroll learners in a program: create only",
    "Program enrollments",
    {
        200: Answer(
            "All rows are good, or there are none.",
            _PROGRAM_ANSWER,
            {"student1": "enrolled", "ann@uni-a.example": "pending"},
        ),
        207: Answer(
            "Some rows are good.", _PROGRAM_ANSWER, {"student1": "enrolled", "ann@uni-a.example": "invalid-status"}
        ),
        422: Answer("No row is good.", _PROGRAM_ANSWER, {"student1": "conflict"}),
    },
    description="A learner who is in the program already is a conflict. Learners without an account are enrolled as "
    "soon as they "
    "have one.",
    parameters=(
        *query.WRITING,
        Parameter(
            "move_curriculum", "Whether an existing enrollment moves to the row's curriculum.", query.TRUTH, "false"
        ),
        Parameter(
            "cascade",
            "Whether a leaving status (suspended, canceled, ended) makes the learner's course enrollments in the "
            "program inactive, and takes back the course staff roles that were given or promised there.",
            query.TRUTH,
            "true",
        ),
    ),
    body=Body(
        {"type": "array", "items": ref("ProgramEnrollmentRow")},
        [
            {"student_key": "student1", "status": "enrolled", "curriculum_uuid": CURRICULUM_UUID},
            {"email": "ann@uni-a.example", "status": "pending"},
        ],
    ),
    problems=(*WRITE_PROBLEMS, InvalidParameter(parameter="cascade", detail="cascade must be true or false.")),
)
UPDATE_PROGRAM = changed(
    CREATE_PROGRAM,
    name="updateProgramEnrollments",
    summary="Change who is in a program: update only",
    description="A learner who is not in the program is not-in-program.",
)
PUT_PROGRAM = changed(
    CREATE_PROGRAM,
    name="putProgramEnrollments",
    summary="Make it so: create or update program enrollments",
    description="Sent again it changes nothing, and repairs what drifted.",
)

COURSE_ROW = {
    "student_key": "student1",
    "status": "active",
    "account_exists": False,
    "curriculum_uuid": CURRICULUM_UUID,
    "course_staff": False,
}
COURSE_ID = "course-v1:UniA+CS101+2026"
COURSE_CSV = csv_of(
    ",".join(COURSE_COLUMNS), f"{COURSE_ID},student1,student1@uni-a.example,active,false,false,{CURRICULUM_UUID}"
)
COURSE_CSV_DESCRIPTION = (
    "As CSV, email and course_staff are what the school said, so that the file can be uploaded as it is."
)
COURSE_LIST = Operation(
    "listCourseEnrollments",
    "Who is in a course run, through a program",
    "Course enrollments",
    {200: Answer("A page of course enrollments.", page_of("CourseEnrollment"), page_example(COURSE_ROW), COURSE_CSV)},
    description=COURSE_CSV_DESCRIPTION,
    parameters=(*query.PAGING, *query.enrollment_filters(CourseStatus.values), query.FORMAT),
    problems=(BadCursor(), STATUS_FILTER),
)
ALL_COURSES_LIST = changed(
    COURSE_LIST,
    name="listAllCourseEnrollments",
    summary="Who is in which course run of a program",
    description=f"All runs, one after the other. {COURSE_CSV_DESCRIPTION}",
    answers={
        200: Answer(
            "A page of course enrollments.",
            page_of("CourseEnrollmentInRun"),
            page_example({"course_id": COURSE_ID, **COURSE_ROW}),
            COURSE_CSV,
        )
    },
)

_COURSE_ANSWER = ref("CourseAnswer")
CREATE_COURSE = Operation(
    "createCourseEnrollments",
    "Enroll a program's learners in a course run: create only",
    "Course enrollments",
    {
        200: Answer("All rows are good, or there are none.", _COURSE_ANSWER, {"student1": "active"}),
        207: Answer("Some rows are good.", _COURSE_ANSWER, {"student1": "active", "stranger": "not-in-program"}),
        422: Answer("No row is good.", _COURSE_ANSWER, {"stranger": "not-in-program"}),
    },
    description="Whoever has an account gets a seat at the learning platform at once, the others as soon as they have "
    "one.",
    parameters=query.WRITING,
    body=Body(
        {"type": "array", "items": ref("CourseEnrollmentRow")},
        [{"student_key": "student1", "status": "active", "course_staff": False}],
    ),
    problems=WRITE_PROBLEMS,
)
UPDATE_COURSE = changed(
    CREATE_COURSE,
    name="updateCourseEnrollments",
    summary="Change who is in a course run: update only",
    description="A learner of the program who is not in the course run is not-found.",
)
PUT_COURSE = changed(
    CREATE_COURSE,
    name="putCourseEnrollments",
    summary="Make it so: create or update course enrollments",
    description="Sent again it changes nothing of ours, and makes the learning platform agree where it drifted.",
)
