"""Computing grades: the stand-in's learners get what a test says they earned."""

from lms.djangoapps.grades.models import PersistentCourseGrade

EARNED = {}
"""Percentages by user ID; an exception is raised."""


class CourseGradeFactory:
    def update(
        self,
        user,
        course=None,
        collected_block_structure=None,
        course_structure=None,
        course_key=None,
        force_update_subsections=False,
    ):
        earned = EARNED[user.pk]
        if isinstance(earned, Exception):
            raise earned
        PersistentCourseGrade.objects.update_or_create(
            user_id=user.pk,
            course_id=course_key,
            defaults={"percent_grade": earned, "letter_grade": "A" if earned >= 0.9 else ""},
        )
