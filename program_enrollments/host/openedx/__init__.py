"""The host adapter for Open edX: the platform's accounts, seats, roles, grades and activity.

The only package that knows the platform. What it relies on is in the table of `signatures`, what it does and why in
ADR 0020.
"""

from __future__ import annotations

from django.conf import settings
from django.shortcuts import resolve_url

from program_enrollments.host.openedx.accounts import OpenEdxAccounts
from program_enrollments.host.openedx.course_enrollments import OpenEdxCourseEnrollments
from program_enrollments.host.openedx.course_roles import OpenEdxCourseRoles
from program_enrollments.host.openedx.dashboard import (
    OpenEdxCertificates,
    OpenEdxKeepAccount,
    OpenEdxLearnerGrades,
    OpenEdxResumeLinks,
)
from program_enrollments.host.openedx.learning import OpenEdxAttendance, OpenEdxGrades
from program_enrollments.host.ports import (
    AccountPort,
    AttendancePort,
    CertificatePort,
    CourseEnrollmentPort,
    CourseRolePort,
    GradePort,
    KeepAccountPort,
    LearnerGradePort,
    ResumeLinkPort,
)

__all__ = ["OpenEdxHost"]


class OpenEdxHost:
    """Open edX as a host."""

    def __init__(self) -> None:
        self.accounts: AccountPort = OpenEdxAccounts()
        self.course_enrollments: CourseEnrollmentPort = OpenEdxCourseEnrollments()
        self.course_roles: CourseRolePort = OpenEdxCourseRoles()
        self.grades: GradePort = OpenEdxGrades()
        self.attendance: AttendancePort = OpenEdxAttendance()
        self.learner_grades: LearnerGradePort = OpenEdxLearnerGrades()
        self.resume_links: ResumeLinkPort = OpenEdxResumeLinks()
        self.certificates: CertificatePort = OpenEdxCertificates()
        self.keep_account: KeepAccountPort = OpenEdxKeepAccount()

    def login_url(self) -> str:
        """Return the path of the sign-in page, which may lead on to the Authn micro-frontend."""
        return resolve_url(settings.LOGIN_URL)
