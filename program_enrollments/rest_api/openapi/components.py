"""Schemas with a name: JSON Schema 2020-12, as OpenAPI 3.1 has it."""

from __future__ import annotations

from typing import Any

from program_enrollments.data import (
    ChangeKind,
    CourseStatus,
    JobKind,
    JobMode,
    JobState,
    LinkHow,
    LinkState,
    Permission,
    ProgramStatus,
    Source,
    Word,
)

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
URL: Schema = {"type": "string", "description": "Empty where the catalog has none."}
STUDENT_KEY: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "The student ID; for a learner known by e-mail address alone, the address.",
}
PROGRAM_STATUS: Schema = {"type": "string", "enum": ProgramStatus.values}
COURSE_STATUS: Schema = {"type": "string", "enum": CourseStatus.values}
FRACTION: Schema = {"type": "number", "minimum": 0, "maximum": 1, "description": "At most three decimals."}

PLAIN = r"^[^\u0000-\u001F\u007F-\u009F]*$"
"""Neither NUL nor other control characters."""
SENT_TEXT: Schema = {"type": "string", "minLength": 1, "allOf": [{"pattern": PLAIN}, {"pattern": r"\S"}]}
SENT: Schema = {"anyOf": [SENT_TEXT, {"type": "number"}]}
IDENTITY: Schema = {"anyOf": [SENT_TEXT, {"type": "number"}, {"type": "null"}]}


def nullable(schema: Schema) -> Schema:
    """Return a schema that also lets null pass."""
    return {"anyOf": [schema, {"type": "null"}]}


def record(**members: Schema) -> Schema:
    """Return the schema of an object that always has these members."""
    return {"type": "object", "properties": members, "required": list(members)}


def _words(statuses: list[str], words: list[Word]) -> Schema:
    return _answer([*statuses, *(word.value for word in words)])


def _answer(words: list[str]) -> Schema:
    word = {"type": "string", "enum": words}
    return {
        "anyOf": [
            {
                "type": "object",
                "description": "A word for each row, by the row's student_key (or, without one, email) as it was sent: "
                "the status now stored, or why the row was refused.",
                "additionalProperties": word,
            },
            {
                "type": "array",
                "description": "With detail=true: the rows in the request's order.",
                "items": record(
                    key={"type": "string"},
                    word=word,
                    good=BOOLEAN,
                    changed=BOOLEAN,
                    before=nullable({"type": "string"}),
                    after=nullable({"type": "string"}),
                    detail={"type": "string"},
                ),
            },
        ]
    }


def _row(status: Schema, more: Schema) -> Schema:
    given = {
        "anyOf": [
            {"required": ["student_key"], "properties": {"student_key": SENT}},
            {"required": ["email"], "properties": {"email": SENT}},
        ]
    }
    return {
        "type": "object",
        "description": "One of student_key and email must be given, both may be; null is not given. Other members are "
        "ignored.",
        "properties": {"student_key": IDENTITY, "email": IDENTITY, "status": status, **more},
        "required": ["status"],
        **given,
    }


PROBLEM: Schema = {
    "type": "object",
    "description": "A problem document (RFC 9457). error_code is the word to rely on.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "developer_message": {"type": "string", "description": "The same as detail."},
        "error_code": TEXT,
        "parameter": {"type": "string", "description": "Of invalid_parameter: its name."},
        "limit": {
            "type": "integer",
            "description": "Of body_too_large (bytes) and too_many_rows (rows): how many may come.",
        },
        "received": {"type": "integer", "description": "Of too_many_rows: how many came."},
        "errors": {
            "type": "array",
            "description": "Of invalid_body: what is wrong, at most a hundred errors.",
            "items": record(
                row=nullable(COUNT | {"description": "Counted from 0; null for the body as a whole."}),
                pointer={"type": "string", "description": "JSON pointer into the body."},
                code=TEXT,
                detail=TEXT,
            ),
        },
    },
    "required": ["type", "title", "status", "detail", "developer_message", "error_code"],
}

PROGRAM: dict[str, Schema] = {
    "uuid": UUID,
    "program_key": TEXT,
    "program_title": TEXT,
    "program_url": URL,
    "program_type": TEXT,
    "school": {"type": "string", "description": "The school's key."},
    "permissions": {
        "type": "array",
        "description": "What the caller may do, sorted.",
        "items": {"type": "string", "enum": Permission.values},
    },
}
COURSE: dict[str, Schema] = {
    "course_id": TEXT,
    "course_title": TEXT,
    "course_url": URL,
    "start": nullable(MOMENT),
    "end": nullable(MOMENT),
}
COURSE_ENROLLMENT: dict[str, Schema] = {
    "student_key": STUDENT_KEY,
    "status": COURSE_STATUS,
    "account_exists": BOOLEAN,
    "curriculum_uuid": UUID,
    "course_staff": BOOLEAN,
}
RECEIPT: dict[str, Schema] = {
    "version": {"type": "integer", "minimum": 1},
    "frozen_by": {"type": "string", "description": "The user name of who froze."},
    "frozen_at": MOMENT,
    "reason": TEXT,
    "count": COUNT,
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 over the rows, see the guide."},
}
REOPENED: dict[str, Schema] = {
    "retired": COUNT | {"description": "Rows whose person was retired since: the digest no longer fits those."},
    "reopened_by": nullable(TEXT),
    "reopened_at": nullable(MOMENT),
    "reopen_reason": nullable(TEXT),
}
CHANGE = record(
    id=COUNT,
    at=MOMENT,
    student_key=TEXT,
    course_id=nullable(TEXT),
    kind={"type": "string", "enum": ChangeKind.values},
    before=nullable(TEXT),
    after=nullable(TEXT),
    actor=nullable(TEXT),
    source={"type": "string", "enum": Source.values},
    request_id=TEXT,
    job_id=nullable(COUNT),
    reason=TEXT,
)

KEEP: Schema = nullable(record(by=TEXT, reason=TEXT, until=nullable(DAY)))
REASON_TEXT: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "allOf": [{"pattern": r"\S"}, {"pattern": PLAIN}],
}
JOB: Schema = record(
    id=COUNT,
    kind={"type": "string", "enum": JobKind.values},
    mode={"type": "string", "enum": JobMode.values},
    dry_run=BOOLEAN,
    school={"type": "string", "description": "The school's key."},
    program=UUID,
    state={"type": "string", "enum": JobState.values},
    file_name=TEXT,
    total=COUNT | {"description": "Records behind the header, as far as the file was read."},
    done=COUNT,
    counts={"type": "object", "description": "Rows by word, leavers among them.", "additionalProperties": COUNT},
    changed=COUNT,
    unchanged=COUNT,
    refused=COUNT,
    removals=COUNT,
    held=nullable(
        record(
            scopes={
                "type": "array",
                "items": record(course_id=nullable(TEXT), removals=COUNT, present=COUNT, limit=COUNT),
            },
            effects={"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "What to send to approve."},
        )
    ),
    next_try=nullable(MOMENT),
    message=TEXT,
    notes={"type": "array", "items": TEXT},
    created_by=TEXT,
    created=MOMENT,
    started=nullable(MOMENT),
    finished=nullable(MOMENT),
    undoes=nullable(COUNT),
    undone_by=nullable(COUNT),
    result_url=nullable({"type": "string", "format": "uri"}),
)

SCHEMAS: dict[str, Schema] = {
    "Problem": PROBLEM,
    "Page": {
        "type": "object",
        "description": "The envelope of every list.",
        "properties": {
            "next": nullable({"type": "string", "format": "uri", "description": "Absolute URL of the next page."}),
            "previous": nullable(
                {"type": "string", "format": "uri", "description": "Absolute URL of the page before."}
            ),
            "results": {"type": "array"},
        },
        "required": ["next", "previous", "results"],
    },
    "Program": record(**PROGRAM),
    "ProgramDetail": record(
        **PROGRAM,
        curricula={"type": "array", "items": record(uuid=UUID, name=TEXT, is_active=BOOLEAN)},
    ),
    "CourseRun": record(**COURSE, external_course_key=TEXT, curriculum_uuid=UUID),
    "ProgramEnrollment": record(
        student_key=STUDENT_KEY,
        status=PROGRAM_STATUS,
        account_exists=BOOLEAN,
        curriculum_uuid=UUID,
        username={"type": "string", "description": "Empty until there is an account."},
        email={"type": "string", "description": "The account's, or the one the school gave; else empty."},
    ),
    "ProgramEnrollmentRow": _row(
        SENT | {"description": f"One of {', '.join(ProgramStatus.values)}; any other refuses the row."},
        {
            "curriculum_uuid": nullable(UUID)
            | {
                "description": "May be left out for an enrollment that exists, and where the program has "
                "exactly one active curriculum. PATCH reads it only with move_curriculum."
            }
        },
    ),
    "ProgramAnswer": _words(
        ProgramStatus.values,
        [word for word in Word if word is not Word.NOT_FOUND],
    ),
    "StudentKeyRow": {
        "type": "object",
        "required": ["student_key"],
        "properties": {"student_key": SENT},
        "additionalProperties": True,
    },
    "ReleaseAnswer": _answer(["released", "unknown", Word.DUPLICATED.value, Word.INVALID_IDENTITY.value]),
    "CourseEnrollment": record(**COURSE_ENROLLMENT),
    "CourseEnrollmentInRun": record(course_id=TEXT, **COURSE_ENROLLMENT),
    "CourseEnrollmentRow": _row(
        SENT | {"description": f"One of {', '.join(CourseStatus.values)}; any other refuses the row."},
        {
            "course_staff": {
                "description": "A boolean, or the word true or false; absent, null or blank leaves the role as it is.",
                "anyOf": [
                    {"type": "boolean"},
                    {"type": "null"},
                    {"type": "string", "pattern": "^ *([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])? *$"},
                ],
            }
        },
    ),
    "CourseAnswer": _words(CourseStatus.values, [word for word in Word if word is not Word.INVALID_CURRICULUM]),
    "Grade": {
        "description": "A final grade, or the reason why there is none.",
        "oneOf": [
            record(
                student_key=STUDENT_KEY,
                letter_grade=nullable({"type": "string", "minLength": 1}),
                percent=FRACTION,
                passed=BOOLEAN,
            ),
            record(student_key=STUDENT_KEY, error={"type": "string", "minLength": 1}),
        ],
    },
    "GradePage": {
        "allOf": [
            {"$ref": "#/components/schemas/Page"},
            record(
                frozen=BOOLEAN,
                frozen_at=nullable(MOMENT),
                version=nullable({"type": "integer", "minimum": 1}),
                results={"type": "array", "items": {"$ref": "#/components/schemas/Grade"}},
            ),
        ]
    },
    "Reason": {"type": "object", "properties": {"reason": REASON_TEXT}, "required": ["reason"]},
    "FreezeReceipt": record(**RECEIPT),
    "CourseFreezeReceipt": {
        "description": "The receipt of a course run, or the reason why it could not be frozen.",
        "oneOf": [
            record(course_id=TEXT, **RECEIPT),
            record(course_id=TEXT, error={"type": "string", "minLength": 1}),
        ],
    },
    "FreezeVersion": record(**RECEIPT, **REOPENED),
    "FrozenGrades": record(
        **RECEIPT, **REOPENED, results={"type": "array", "items": {"$ref": "#/components/schemas/Grade"}}
    ),
    "Attendance": {
        "description": "When and how much a learner took part, or the reason why the platform cannot report it.",
        "oneOf": [
            record(
                student_key=STUDENT_KEY,
                first_attended=nullable(DAY),
                last_attended=nullable(DAY),
                days_attended=COUNT,
                completion=nullable(FRACTION),
            ),
            record(student_key=STUDENT_KEY, error={"type": "string", "minLength": 1}),
        ],
    },
    "Change": CHANGE,
    "ChangesPage": record(
        next=nullable({"type": "string", "format": "uri"}),
        cursor={"type": "string", "minLength": 1, "description": "What to send as after the next time. Never null."},
        results={"type": "array", "items": {"$ref": "#/components/schemas/Change"}},
    ),
    "Learner": record(
        student_key=STUDENT_KEY,
        email=TEXT,
        link=record(
            state={"type": "string", "enum": LinkState.values},
            how=nullable({"type": "string", "enum": LinkHow.values}),
            at=nullable(MOMENT),
            detail=nullable(TEXT),
        ),
        username=TEXT,
        program_enrollment=nullable(
            record(
                status=PROGRAM_STATUS, curriculum_uuid=UUID, real=BOOLEAN, created=MOMENT, modified=MOMENT, keep=KEEP
            )
        ),
        course_enrollments={
            "type": "array",
            "items": record(
                course_id=TEXT,
                status=COURSE_STATUS,
                real=BOOLEAN,
                course_staff=BOOLEAN,
                host=nullable(record(is_active=BOOLEAN, mode=TEXT)),
                problem=nullable(record(code=TEXT, detail=TEXT, tries=COUNT, last_tried=nullable(MOMENT))),
                keep=KEEP,
            ),
        },
        changes={"type": "array", "maxItems": 10, "items": {"$ref": "#/components/schemas/Change"}},
    ),
    "Job": JOB,
    "JobRow": record(
        line=nullable(COUNT | {"description": "Where the record begins; null for somebody whom a snapshot removed."}),
        student_key=TEXT,
        course_id=nullable(TEXT),
        word=TEXT,
        changed=BOOLEAN,
        before=nullable(TEXT),
        after=nullable(TEXT),
        detail=TEXT,
    ),
    "Approval": {
        "type": "object",
        "properties": {
            "reason": REASON_TEXT,
            "effects": REASON_TEXT | {"description": "The digest of the removals that the job lists."},
            "removals": BOOLEAN | {"description": "Whether the removals are applied, too."},
        },
        "required": ["reason", "effects", "removals"],
    },
    "OwnProgram": record(
        uuid=UUID,
        program_title=TEXT,
        program_url=URL,
        school=record(key=TEXT, name=TEXT, logo_url=URL),
        status=PROGRAM_STATUS,
        courses={"type": "array", "items": record(**COURSE, status=COURSE_STATUS)},
    ),
}
