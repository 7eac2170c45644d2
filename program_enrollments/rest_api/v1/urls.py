"""Paths of version 1. They end in a slash, and nothing may follow it."""

from __future__ import annotations

from django.urls import URLPattern, path

from program_enrollments.rest_api.v1 import (
    acknowledgements,
    attendance,
    changes,
    course_enrollments,
    description,
    enrollments,
    freezes,
    grades,
    jobs,
    learners,
    me,
    programs,
    student_keys,
    uploads,
)

PROGRAM = "programs/<segment:program>/"
COURSE = PROGRAM + "courses/<anything:course>/"
JOB = "jobs/<segment:job>/"

urlpatterns: list[URLPattern] = [
    path("programs/", programs.ProgramList.as_view(), name="programs"),
    path(PROGRAM, programs.ProgramDetail.as_view(), name="program"),
    path(PROGRAM + "courses/", programs.CourseRunList.as_view(), name="courses"),
    path(PROGRAM + "learners/", learners.LearnerSearch.as_view(), name="learners"),
    path(PROGRAM + "learners/<anything:student_key>/", learners.LearnerDetail.as_view(), name="learner"),
    path(PROGRAM + "changes/", changes.ChangeList.as_view(), name="changes"),
    path("me/programs/", me.OwnProgramList.as_view(), name="own-programs"),
    path(PROGRAM + "grades/freeze/", freezes.ProgramFreeze.as_view(), name="program-grades-freeze"),
    path(COURSE + "grades/", grades.GradeList.as_view(), name="grades"),
    path(COURSE + "grades/freeze/", freezes.Freeze.as_view(), name="grades-freeze"),
    path(COURSE + "grades/reopen/", freezes.Reopen.as_view(), name="grades-reopen"),
    path(COURSE + "grades/freezes/", freezes.FreezeList.as_view(), name="grades-freezes"),
    path(COURSE + "grades/freezes/<segment:version>/", freezes.FreezeDetail.as_view(), name="grades-freeze-version"),
    path(
        COURSE + "grades/freezes/<segment:version>/acknowledgements/",
        acknowledgements.Acknowledgements.as_view(),
        name="grades-acknowledgements",
    ),
    path(COURSE + "attendance/", attendance.AttendanceList.as_view(), name="attendance"),
    path(PROGRAM + "enrollments/upload/", uploads.ProgramUpload.as_view(), name="enrollments-upload"),
    path(PROGRAM + "course_enrollments/upload/", uploads.CourseUpload.as_view(), name="course-enrollments-upload"),
    path("jobs/", jobs.JobList.as_view(), name="jobs"),
    path(JOB, jobs.JobDetail.as_view(), name="job"),
    path(JOB + "rows/", jobs.JobRows.as_view(), name="job-rows"),
    path(JOB + "result/", jobs.JobResult.as_view(), name="job-result"),
    path(JOB + "approve/", jobs.Approve.as_view(), name="job-approve"),
    path(JOB + "cancel/", jobs.Cancel.as_view(), name="job-cancel"),
    path(JOB + "resume/", jobs.Resume.as_view(), name="job-resume"),
    path(JOB + "undo/", jobs.Undo.as_view(), name="job-undo"),
    path(PROGRAM + "enrollments/", enrollments.ProgramEnrollments.as_view(), name="enrollments"),
    path(
        PROGRAM + "course_enrollments/",
        course_enrollments.AllCourseEnrollments.as_view(),
        name="all-course-enrollments",
    ),
    path(COURSE + "enrollments/", course_enrollments.CourseEnrollments.as_view(), name="course-enrollments"),
    path("schools/<segment:school>/student_keys/release/", student_keys.Release.as_view(), name="student-keys-release"),
    path("schools/<segment:school>/student_keys/upload/", uploads.RekeyUpload.as_view(), name="student-keys-upload"),
    path("schema/", description.Description.as_view(), name="schema"),
]
