"""Files as jobs: uploads, what became of them, and decisions about them."""

from __future__ import annotations

from program_enrollments.data import JobKind, JobMode, JobState
from program_enrollments.exceptions import (
    BadCursor,
    FileIncomplete,
    InvalidFile,
    JobDoesNotExist,
    PermissionDenied,
    ResultExpired,
    StaleEffects,
    StorageUnavailable,
    WrongState,
)
from program_enrollments.rest_api.errors import InvalidBody
from program_enrollments.rest_api.exports import JOB_ROW_COLUMNS
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

PENDING = {
    "id": 17,
    "kind": "program_enrollments",
    "mode": "snapshot",
    "dry_run": False,
    "school": "uni-a",
    "program": "aaaaaaaa-0000-4000-8000-000000000001",
    "state": "pending",
    "file_name": "nightly.csv",
    "total": 0,
    "done": 0,
    "counts": {},
    "changed": 0,
    "unchanged": 0,
    "refused": 0,
    "removals": 0,
    "held": None,
    "next_try": None,
    "message": "",
    "notes": [],
    "created_by": "uni-a-sis",
    "created": "2026-09-01T02:00:00Z",
    "started": None,
    "finished": None,
    "undoes": None,
    "undone_by": None,
    "result_url": None,
}
EFFECTS = "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
HELD = {
    **PENDING,
    "state": "held",
    "total": 900,
    "removals": 250,
    "held": {
        "scopes": [{"course_id": None, "removals": 250, "present": 1000, "limit": 200}],
        "effects": EFFECTS,
    },
    "message": "The file would remove 250 of 1000 who are present; 200 are allowed without a decision.",
    "started": "2026-09-01T02:00:01Z",
}
DONE = {
    **PENDING,
    "state": "succeeded",
    "total": 900,
    "done": 900,
    "counts": {"enrolled": 899, "invalid-identity": 1, "left": 3},
    "changed": 12,
    "unchanged": 890,
    "refused": 1,
    "removals": 3,
    "started": "2026-09-01T02:00:01Z",
    "finished": "2026-09-01T02:00:03Z",
    "result_url": "https://lms.example/api/program_enrollments/v1/jobs/17/result/",
}
ROW = {
    "line": 42,
    "student_key": "student1",
    "course_id": None,
    "word": "enrolled",
    "changed": True,
    "before": None,
    "after": "enrolled",
    "detail": "",
}
FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary"}},
    "required": ["file"],
}
NO_FILE = InvalidBody(
    "The form has no part named file. Send exactly one. Nothing was written.",
    errors=[{"row": None, "pointer": "", "code": "not_one_file", "detail": "The form has no part named file."}],
)
COMMON = (
    query.choice("mode", "Whether the file says who changes, or who is present.", tuple(JobMode.values)),
    Parameter("dry_run", "Whether to report what a real run would do, and write nothing.", query.TRUTH, "true"),
    Parameter("rows", "How many rows you counted behind the header; another number is 422.", {"type": "string"}, "900"),
    Parameter("sha256", "The file's SHA-256 as you computed it; another one is 422.", {"type": "string"}, EFFECTS),
)
UPLOAD_PROGRAM = Operation(
    "uploadEnrollments",
    "Send a file of program enrollments",
    "Jobs",
    {202: Answer("The job that checks and applies the file.", ref("Job"), PENDING)},
    description="Columns: student_key, email, status, curriculum_uuid; others are ignored. The file is the part named "
    "file of a form, or the body itself.",
    parameters=(
        *COMMON,
        Parameter("cascade", "Whether a leaving status also ends course enrollments.", query.TRUTH, "true"),
        query.choice(
            "leaving_status",
            "Of a snapshot: the status of those whom it does not name; canceled unless said otherwise.",
            ("suspended", "ended", "canceled"),
        ),
    ),
    body=Body(
        {"type": "string"},
        "student_key,status\nstudent1,enrolled\n",
        "text/csv",
        others={"multipart/form-data": (FORM, {"file": "student_key,status\nstudent1,enrolled\n"})},
    ),
    problems=(
        InvalidFile(),
        FileIncomplete(
            "The file has 899 rows behind its header, not the 900 that you say. It may be cut off: send it again."
        ),
        NO_FILE,
        StorageUnavailable(),
    ),
)
UPLOAD_COURSE = changed(
    UPLOAD_PROGRAM,
    name="uploadCourseEnrollments",
    summary="Send a file of course enrollments",
    description="Columns: course_id, student_key, email, status, course_staff; others are ignored. One file may be "
    "about many course runs; a snapshot speaks for those that it names. Who is missing becomes inactive.",
    parameters=COMMON,
    body=Body(
        {"type": "string"},
        "course_id,student_key,status\ncourse-v1:UniA+CS101+2026,student1,active\n",
        "text/csv",
        others={"multipart/form-data": (FORM, {"file": "course_id,student_key,status\nCS101,student1,active\n"})},
    ),
)
LIST = Operation(
    "listJobs",
    "The jobs that you may see, newest first",
    "Jobs",
    {200: Answer("A page of jobs.", page_of("Job"), page_example(DONE))},
    parameters=(
        query.text("school", "Only those of the school with this key.", "uni-a"),
        query.uuid("program", "Only those of this program.", "aaaaaaaa-0000-4000-8000-000000000001"),
        query.choice("kind", "Only those of this kind.", tuple(JobKind.values)),
        query.choice("state", "Only those in this state.", tuple(JobState.values)),
        *query.PAGING,
    ),
    problems=(BadCursor(),),
)
DETAIL = Operation(
    "getJob",
    "One job",
    "Jobs",
    {200: Answer("The job.", ref("Job"), HELD)},
    problems=(JobDoesNotExist(), PermissionDenied()),
)
ROWS = Operation(
    "listJobRows",
    "What became of the lines, then who left",
    "Jobs",
    {
        200: Answer(
            "A page of rows.",
            page_of("JobRow"),
            page_example(ROW),
            csv_of(",".join(JOB_ROW_COLUMNS), "42,student1,,left,true,enrolled,canceled,"),
        )
    },
    description="Lines that changed nothing are counted, and listed only by the result file. Of a held job, the "
    "removals that it would make.",
    parameters=(
        query.text("word", "Only rows with this word.", "left"),
        Parameter("changed", "Only rows that changed something, or only the others.", query.TRUTH, "true"),
        Parameter("line", "Only this line.", {"type": "string", "pattern": "^[0-9]{1,9}$"}, "42"),
        query.FORMAT,
        *query.PAGING,
    ),
    problems=(JobDoesNotExist(), PermissionDenied(), BadCursor()),
)
RESULT = Operation(
    "getJobResult",
    "The file once more, with what became of each line",
    "Jobs",
    {
        200: Answer(
            "The file's columns, then line, word, detail, before, after; behind the lines those who left.",
            others={
                "text/csv": (
                    {"type": "string"},
                    "student_key,status,line,word,detail,before,after\r\nstudent1,enrolled,2,enrolled,,,enrolled\r\n",
                )
            },
        )
    },
    parameters=(query.choice("format", "The form, in the place of Accept.", ("json", "csv")),),
    problems=(
        JobDoesNotExist(),
        PermissionDenied(),
        ResultExpired(),
        InvalidFile(),
        StorageUnavailable(),
        WrongState("There is a result once the job has ended; it is running."),
    ),
)
NOT_HELD = WrongState("Only a held job can be approved; this one is running.")
NO_REASON = InvalidBody(
    "reason is missing. Nothing was written.",
    errors=[{"row": None, "pointer": "/reason", "code": "missing", "detail": "reason is missing."}],
)
APPROVE = Operation(
    "approveJob",
    "Let a held job be applied, with or without its removals",
    "Jobs",
    {200: Answer("The job, which goes on.", ref("Job"), PENDING)},
    description="What was changed since the job was checked is left alone, and reported as changed-since.",
    body=Body(ref("Approval"), {"reason": "They graduated", "effects": EFFECTS, "removals": True}),
    problems=(JobDoesNotExist(), PermissionDenied(), NOT_HELD, StaleEffects(), NO_REASON),
)
CANCEL = Operation(
    "cancelJob",
    "End a job",
    "Jobs",
    {200: Answer("The job.", ref("Job"), {**HELD, "state": "canceled"})},
    description="What it has applied stays, and is reported.",
    body=Body(ref("Reason"), {"reason": "The wrong file"}),
    problems=(
        JobDoesNotExist(),
        PermissionDenied(),
        WrongState("This job can't be canceled any more; it is succeeded."),
        NO_REASON,
    ),
)
RESUME = Operation(
    "resumeJob",
    "Let a job go on that the platform's outage stopped",
    "Jobs",
    {200: Answer("The job, which goes on.", ref("Job"), PENDING)},
    body=Body(ref("Reason"), {"reason": "The platform is back"}),
    problems=(
        JobDoesNotExist(),
        PermissionDenied(),
        WrongState("Only a job that the platform's outage stopped can be resumed; this one is succeeded."),
        NO_REASON,
    ),
)
