"""The adapter for Open edX over the stand-ins; run by `tests/host/test_openedx.py` in the platform's own project."""

import uuid
from datetime import UTC, datetime, time

import pytest
from accounts_and_runs import make_account, make_run
from common.djangoapps.student.models import PendingEmailChange
from django.contrib.auth.models import User
from lms.djangoapps.certificates.models import GeneratedCertificate
from lms.djangoapps.courseware.models import StudentModule
from lms.djangoapps.grades.models import PersistentCourseGrade
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from social_django.models import UserSocialAuth

from program_enrollments.host.contract import HostContract
from program_enrollments.host.openedx import OpenEdxHost


@pytest.mark.django_db
class TestOpenEdxHost(HostContract):
    host = OpenEdxHost()
    statements_per_seat = 10

    def make_user(self, *, email=""):
        return make_account(email=email, is_active=not email).pk

    def confirm_email(self, *, user_id):
        user = User.objects.get(pk=user_id)
        user.registration.activate()
        return True

    def change_email(self, *, user_id, email):
        PendingEmailChange.objects.create(user_id=user_id, new_email=email, activation_key=uuid.uuid4().hex)
        return False

    def make_course_run(self):
        return make_run("audit", "verified", "masters")

    def record_grade(self, *, user_id, course_id, letter, percent, passed):
        PersistentCourseGrade.objects.create(
            user_id=user_id, course_id=CourseKey.from_string(course_id), letter_grade=letter, percent_grade=percent
        )

    def record_grade_problem(self, *, user_id, course_id):
        return False

    def record_activity(self, *, user_id, course_id, day):
        key = CourseKey.from_string(course_id)
        block = key.make_usage_key("problem", uuid.uuid4().hex)
        module = StudentModule.objects.create(
            student_id=user_id, course_id=key, module_state_key=block, module_type="problem"
        )
        noon = datetime.combine(day, time(12), tzinfo=UTC)
        StudentModule.objects.filter(pk=module.pk).update(created=noon, modified=noon)

    def award_certificate(self, *, user_id, course_id):
        key = CourseKey.from_string(course_id)
        CourseOverview.objects.filter(id=key).update(self_paced=True)
        GeneratedCertificate.objects.create(
            user_id=user_id, course_id=key, verify_uuid=uuid.uuid4().hex, status="downloadable"
        )

    def make_account_of_the_university(self):
        user = make_account()
        UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid=f"uni-idp:{user.pk}")
        return user.pk

    def make_account_with_password(self):
        return make_account().pk
