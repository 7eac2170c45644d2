"""Paths of the console: `path("console/", include("program_enrollments.console.urls"))`."""

from __future__ import annotations

from django.urls import path

from program_enrollments.console import (
    additions,
    attendance,
    changes,
    courses,
    grades,
    home,
    keeping,
    learner,
    learners,
    metadata,
    people,
    school,
    statuses,
    student_keys,
)
from program_enrollments.console.base import NothingHere

app_name = "console"

PROGRAM = "programs/<uuid:program>/"
COURSE = PROGRAM + "courses/<path:course>/"
SCHOOL = "schools/<str:school>/"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("invitations/<str:token>/", people.AcceptInvitation.as_view(), name="invitation"),
    path(PROGRAM + "learners/", learners.LearnerList.as_view(), name="learners"),
    path(PROGRAM + "learners/add/", additions.ProgramAddition.as_view(), name="add"),
    path(PROGRAM + "learners/status/", statuses.StatusChange.as_view(), name="status"),
    path(PROGRAM + "learners/<int:learner>/", learner.Learner.as_view(), name="learner"),
    path(PROGRAM + "learners/<int:learner>/keep/", keeping.Keep.as_view(), name="keep"),
    path(COURSE + "learners/<int:learner>/keep/", keeping.CourseKeep.as_view(), name="course-keep"),
    path(PROGRAM + "courses/", courses.CourseList.as_view(), name="courses"),
    path(COURSE + "learners/", courses.Roster.as_view(), name="roster"),
    path(COURSE + "learners/add/", additions.CourseAddition.as_view(), name="course-add"),
    path(COURSE + "learners/status/", statuses.CourseStatusChange.as_view(), name="course-status"),
    path(PROGRAM + "grades/", grades.GradeList.as_view(), name="grades"),
    path(COURSE + "grades/", grades.CourseGrades.as_view(), name="course-grades"),
    path(COURSE + "grades/all/", grades.GradeRows.as_view(), name="grade-rows"),
    path(COURSE + "grades/freeze/", grades.Freeze.as_view(), name="freeze"),
    path(COURSE + "grades/reopen/", grades.Reopen.as_view(), name="reopen"),
    path(COURSE + "grades/versions/<int:version>/", grades.Version.as_view(), name="version"),
    path(PROGRAM + "attendance/", attendance.AttendanceList.as_view(), name="attendance"),
    path(COURSE + "attendance/", attendance.CourseAttendance.as_view(), name="course-attendance"),
    path(PROGRAM + "changes/", changes.ChangeList.as_view(), name="changes"),
    path(SCHOOL + "student-keys/", student_keys.StudentKeys.as_view(), name="student-keys"),
    path(SCHOOL + "brand/", school.Brand.as_view(), name="brand"),
    path(SCHOOL + "sign-in/", school.SignIn.as_view(), name="sign-in"),
    path(SCHOOL + "sign-in/ask/", metadata.RequestMetadata.as_view(), name="request-metadata"),
    path(SCHOOL + "sign-in/drafts/<int:draft>/", metadata.MetadataDecision.as_view(), name="metadata-decision"),
    path("metadata/<str:token>/", metadata.MetadataLink.as_view(), name="metadata-link"),
    path(SCHOOL + "people/", people.PeoplePage.as_view(), name="people"),
    path(SCHOOL + "people/<int:user>/take/", people.TakeAccess.as_view(), name="take-access"),
    path(SCHOOL + "invitations/<int:invitation>/withdraw/", people.WithdrawInvitation.as_view(), name="withdraw"),
    path(SCHOOL + "disclosures/", people.Disclosures.as_view(), name="disclosures"),
    path("<path:path>", NothingHere.as_view(), name="nothing-here"),
]
