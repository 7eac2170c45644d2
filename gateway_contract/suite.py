"""The suite: all checks in their order."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_contract.connection import Connection
from gateway_contract.envelopes import read_page
from gateway_contract.files import check_jobs, check_upload
from gateway_contract.findings import SKIPPED, Finding, Findings, Mismatch
from gateway_contract.reading import check_access, check_courses, check_lists, check_token, find_course
from gateway_contract.writing import MadeUpStudents, check_detail, check_writes


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at, and with whose rights."""

    client: str
    secret: str
    program: str
    course: str = ""
    curriculum: str = ""
    writes: bool = False
    job_seconds: float = 60.0


def run_suite(connection: Connection, subject: Subject) -> Findings:
    """Run all checks. Without `subject.writes` nothing but tokens is ever requested by POST."""
    findings = Findings()
    if not check_token(connection, findings, client=subject.client, secret=subject.secret):
        return findings
    check_access(connection, findings, program=subject.program)
    check_lists(connection, findings, program=subject.program)
    course = subject.course or _find_course(connection, subject.program)
    if course:
        check_courses(connection, findings, program=subject.program, course=course)
    else:
        detail = "name a course run of the program, this installation does not list them."
        findings.others.append(Finding("Course enrollments and grades", SKIPPED, detail))
    has_jobs = check_jobs(connection, findings)
    if not subject.writes:
        findings.others.append(Finding("Writes", SKIPPED, "this run only reads."))
        return findings
    curriculum = subject.curriculum or _find_curriculum(connection, subject.program)
    students = MadeUpStudents(connection, program=subject.program, curriculum=curriculum, course=course)
    check_writes(students, findings)
    check_detail(students, findings)
    if has_jobs:
        check_upload(connection, findings, program=subject.program, seconds=subject.job_seconds)
    return findings


def _find_course(connection: Connection, program: str) -> str:
    try:
        return find_course(connection, program=program)
    except Mismatch:
        return ""


def _find_curriculum(connection: Connection, program: str) -> str:
    """Return the curriculum of the program's first enrollment; empty without any."""
    try:
        rows = read_page(connection.get(f"programs/{program}/enrollments/").must_be(200))["results"]
    except Mismatch:
        return ""
    return next((str(row.get("curriculum_uuid", "")) for row in rows if isinstance(row, dict)), "")
