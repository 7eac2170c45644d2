"""The tables of the demo LMS."""

from demo_lms.models.accounts import EmailAddress
from demo_lms.models.courses import CourseAccessRole, CourseEnrollment, CourseRun
from demo_lms.models.learning import Assignment, CourseGrade, DailyActivity

__all__ = [
    "Assignment",
    "CourseAccessRole",
    "CourseEnrollment",
    "CourseGrade",
    "CourseRun",
    "DailyActivity",
    "EmailAddress",
]
