"""Requests: a staged row as the write pipeline takes it."""

from __future__ import annotations

from uuid import UUID

from program_enrollments.api.jobs.lines import TRUTH
from program_enrollments.api.jobs.staging import AnyStaged
from program_enrollments.data import CourseEnrollmentRequest, JobKind, ProgramEnrollmentRequest
from program_enrollments.models import Job


def request_of(job: Job, row: AnyStaged) -> ProgramEnrollmentRequest | CourseEnrollmentRequest:
    """Return what a row asks for, with its number as the answer key."""
    return course_request(row) if job.kind == JobKind.COURSE_ENROLLMENTS else program_request(row)


def program_request(row: AnyStaged) -> ProgramEnrollmentRequest:
    """Return what a row of a program file asks for."""
    uuid = UUID(row.detail_column) if row.detail_column else None
    return ProgramEnrollmentRequest(str(row.number), row.student_key, row.email, row.status, uuid)


def course_request(row: AnyStaged) -> CourseEnrollmentRequest:
    """Return what a row of a course file asks for."""
    return CourseEnrollmentRequest(
        str(row.number), row.student_key, row.email, row.status, TRUTH.get(row.detail_column)
    )
