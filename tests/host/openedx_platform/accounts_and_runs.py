"""Accounts and course runs of the platform, made as the platform makes them."""

import itertools
import uuid

from common.djangoapps.course_modes.models import CourseMode
from common.djangoapps.student.models import Registration, UserProfile
from django.contrib.auth.models import User
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview

numbers = itertools.count(1)


def make_account(*, email="", is_active=True, name="Student"):
    user = User.objects.create(username=f"user{next(numbers)}", email=email, is_active=is_active)
    UserProfile.objects.create(user=user, name=name)
    Registration.objects.create(user=user, activation_key=uuid.uuid4().hex)
    return user


def make_run(*modes, key=None):
    key = key or f"course-v1:Uni+C{next(numbers)}+2026"
    run = CourseOverview.objects.create(id=CourseKey.from_string(key), org="Uni", display_name="Course")
    CourseMode.objects.bulk_create([CourseMode(course=run, mode_slug=mode) for mode in modes])
    return key
