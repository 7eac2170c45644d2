"""Grades, frozen and live, and attendance."""

from __future__ import annotations

from program_enrollments.exceptions import AlreadyFrozen, BadCursor, FreezeDoesNotExist, HostError, NotFrozen
from program_enrollments.rest_api.errors import InvalidBody, InvalidParameter
from program_enrollments.rest_api.exports import ATTENDANCE_COLUMNS, GRADE_COLUMNS
from program_enrollments.rest_api.openapi import query
from program_enrollments.rest_api.openapi.descriptions import (
    Answer,
    Body,
    Operation,
    csv_of,
    page_example,
    page_of,
    ref,
)

GRADE = {"student_key": "student1", "letter_grade": "B", "percent": 0.83, "passed": True}
NO_GRADE = {"student_key": "student2", "error": "There is no grade for this learner yet."}
RECEIPT = {
    "version": 1,
    "frozen_by": "registrar",
    "frozen_at": "2026-12-20T16:00:00Z",
    "reason": "End of the fall term",
    "count": 1,
    "digest": "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea",
}
VERSION = {**RECEIPT, "retired": 0, "reopened_by": None, "reopened_at": None, "reopen_reason": None}
REASON = Body(ref("Reason"), {"reason": "End of the fall term"})
NO_REASON = InvalidBody(
    "reason is missing. Nothing was written.",
    errors=[{"row": None, "pointer": "/reason", "code": "missing", "detail": "reason is missing."}],
)
ATTENDED = {
    "student_key": "student1",
    "first_attended": "2026-09-01",
    "last_attended": "2026-10-15",
    "days_attended": 12,
    "completion": 0.4,
}
NO_ATTENDANCE = {
    "student_key": "student2",
    "error": "The learning platform gave an attendance record that cannot be used. Ask its support.",
}
GRADE_CSV = csv_of(",".join(GRADE_COLUMNS), "student1,B,0.83,true,")
LIVE = {"frozen": False, "frozen_at": None, "version": None}

GRADES = Operation(
    "listGrades",
    "The final grades of a course run in a program",
    "Grades",
    {
        200: Answer(
            "All rows of the page are grades, or there are none.",
            ref("GradePage"),
            page_example(GRADE, **LIVE),
            GRADE_CSV,
        ),
        207: Answer("Some rows say why there is no grade.", ref("GradePage"), page_example(GRADE, NO_GRADE, **LIVE)),
        422: Answer("All rows say why there is no grade.", ref("GradePage"), page_example(NO_GRADE, **LIVE)),
    },
    description="Of learners with an account. Live from the learning platform, or those of the version in force where "
    "grades are frozen. A CSV file is 200 whatever its rows say.",
    parameters=(*query.PAGING, query.FORMAT),
    problems=(BadCursor(), HostError()),
)
FREEZE = Operation(
    "freezeGrades",
    "Freeze every final grade of the course run in the program as it stands",
    "Grades",
    {201: Answer("The new version.", ref("FreezeReceipt"), RECEIPT)},
    description="From then on exactly these are shown, forever.",
    body=REASON,
    problems=(AlreadyFrozen(), NO_REASON, HostError()),
)
FREEZE_PROGRAM = Operation(
    "freezeProgramGrades",
    "Freeze every course run of the program that is not frozen yet",
    "Grades",
    {
        201: Answer(
            "The new versions, one a course run.",
            {"type": "array", "items": ref("CourseFreezeReceipt")},
            [{"course_id": "course-v1:UniA+CS101+2026", **RECEIPT}],
        ),
        207: Answer(
            "Some course runs were frozen, others could not be. Repeat the call to freeze those.",
            {"type": "array", "items": ref("CourseFreezeReceipt")},
            [
                {"course_id": "course-v1:UniA+CS101+2026", **RECEIPT},
                {"course_id": "course-v1:UniA+CS102+2026", "error": HostError.detail},
            ],
        ),
    },
    description="Each course run is frozen by itself; what is frozen stays so where another one fails.",
    body=REASON,
    problems=(AlreadyFrozen(), NO_REASON, HostError()),
)
REOPEN = Operation(
    "reopenGrades",
    "End the version in force",
    "Grades",
    {
        200: Answer(
            "The version that was in force.",
            ref("FreezeVersion"),
            {
                **VERSION,
                "reopened_by": "registrar",
                "reopened_at": "2026-12-21T09:00:00Z",
                "reopen_reason": "An exam was graded again",
            },
        )
    },
    description="It stays readable forever; the next freeze makes a new version.",
    body=Body(ref("Reason"), {"reason": "An exam was graded again"}),
    problems=(NotFrozen(), NO_REASON),
)
FREEZES = Operation(
    "listFreezes",
    "The versions that were frozen, oldest first",
    "Grades",
    {200: Answer("A page of versions.", page_of("FreezeVersion"), page_example(VERSION))},
    parameters=query.PAGING,
    problems=(BadCursor(),),
)
FROZEN = Operation(
    "getFreeze",
    "One version with all its rows",
    "Grades",
    {
        200: Answer(
            "The version.",
            ref("FrozenGrades"),
            {**VERSION, "results": [GRADE]},
            GRADE_CSV,
        )
    },
    parameters=(query.FORMAT,),
    problems=(FreezeDoesNotExist(), InvalidParameter(parameter="format", detail="format must be one of: json, csv.")),
)
ATTENDANCE = Operation(
    "listAttendance",
    "When and how much learners took part in a course run",
    "Attendance",
    {
        200: Answer(
            "A page of attendance.",
            page_of("Attendance"),
            page_example(ATTENDED),
            csv_of(",".join(ATTENDANCE_COLUMNS), "student1,2026-09-01,2026-10-15,12,0.4,"),
        ),
        207: Answer(
            "Some rows say why there is no attendance.", page_of("Attendance"), page_example(ATTENDED, NO_ATTENDANCE)
        ),
        422: Answer("All rows say why there is no attendance.", page_of("Attendance"), page_example(NO_ATTENDANCE)),
    },
    description="Every learner with an account, also those who never came. Days are UTC days. A CSV file is 200 "
    "whatever its rows say.",
    parameters=(
        *query.PAGING,
        query.day("since", "Count days from this UTC day on; all learners stay listed.", "2026-09-01"),
        query.FORMAT,
    ),
    problems=(
        BadCursor(),
        InvalidParameter(parameter="since", detail="since must be a date such as 2026-09-01."),
        HostError(),
    ),
)
