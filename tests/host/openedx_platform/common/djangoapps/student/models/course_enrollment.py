"""Seats. What can be observed of the platform's own, in few lines."""

import uuid

from common.djangoapps.course_modes.models import CourseMode
from common.djangoapps.student.signals import ENROLL_STATUS_CHANGE, ENROLLMENT_TRACK_UPDATED, UNENROLL_DONE
from django.contrib.auth.models import User
from django.db import models
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from openedx_events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from openedx_events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    COURSE_ENROLLMENT_CREATED,
    COURSE_UNENROLLMENT_COMPLETED,
)
from openedx_filters.learning.filters import CourseEnrollmentStarted, CourseUnenrollmentStarted


class CourseEnrollmentException(Exception):
    pass


class EnrollmentNotAllowed(CourseEnrollmentException):
    pass


class UnenrollmentNotAllowed(CourseEnrollmentException):
    pass


class CourseEnrollment(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    course = models.ForeignKey(CourseOverview, db_constraint=False, on_delete=models.DO_NOTHING)
    created = models.DateTimeField(auto_now_add=True, null=True, db_index=True)
    is_active = models.BooleanField(default=True)
    mode = models.CharField(default=CourseMode.get_default_mode_slug, max_length=100)

    class Meta:
        unique_together = (("user", "course"),)

    def save(self, *args, **kwargs):
        """Write a history row with every save, as the platform's history library does."""
        super().save(*args, **kwargs)
        HistoricalCourseEnrollment.objects.create(
            enrollment_id=self.pk, user_id=self.user_id, mode=self.mode, is_active=self.is_active
        )

    @classmethod
    def get_or_create_enrollment(cls, user, course_key):
        assert isinstance(course_key, CourseKey)
        seat, _ = cls.objects.get_or_create(
            user=user, course_id=course_key, defaults={"mode": CourseMode.DEFAULT_MODE_SLUG, "is_active": False}
        )
        return seat

    @classmethod
    def enroll(cls, user, course_key, mode=None, check_access=False, can_upgrade=False, enterprise_uuid=None):
        try:
            user, course_key, mode = CourseEnrollmentStarted.run_filter(user=user, course_key=course_key, mode=mode)
        except CourseEnrollmentStarted.PreventEnrollment as refusal:
            raise EnrollmentNotAllowed(str(refusal)) from refusal
        seat = cls.get_or_create_enrollment(user, course_key)
        seat.update_enrollment(is_active=True, mode=mode or CourseMode.DEFAULT_MODE_SLUG)
        seat._announce("enroll")
        COURSE_ENROLLMENT_CREATED.send_event(enrollment=seat._event_data())
        return seat

    @classmethod
    def unenroll(cls, user, course_id, skip_refund=False):
        seat = cls.objects.filter(user=user, course_id=course_id).first()
        if seat is None:
            return
        try:
            seat = CourseUnenrollmentStarted.run_filter(enrollment=seat)
        except CourseUnenrollmentStarted.PreventUnenrollment as refusal:
            raise UnenrollmentNotAllowed(str(refusal)) from refusal
        seat.update_enrollment(is_active=False, skip_refund=skip_refund)

    def update_enrollment(self, mode=None, is_active=None, skip_refund=False, enterprise_uuid=None):
        activation_changed = is_active is not None and is_active != self.is_active
        mode_changed = mode is not None and mode != self.mode
        if activation_changed:
            self.is_active = is_active
        if mode_changed:
            self.mode = mode
        if activation_changed or mode_changed:
            self.save()
            COURSE_ENROLLMENT_CHANGED.send_event(enrollment=self._event_data())
        if activation_changed and not self.is_active:
            UNENROLL_DONE.send(sender=None, course_enrollment=self, skip_refund=skip_refund)
            self._announce("unenroll")
            COURSE_UNENROLLMENT_COMPLETED.send_event(enrollment=self._event_data())
        if mode_changed:
            ENROLLMENT_TRACK_UPDATED.send(
                sender=None, user=self.user, course_key=self.course_id, mode=self.mode, countdown=30
            )

    def _announce(self, event):
        ENROLL_STATUS_CHANGE.send(
            sender=None,
            event=event,
            user=self.user,
            mode=self.mode,
            course_id=self.course_id,
            cost=None,
            currency=None,
        )

    def _event_data(self):
        pii = UserPersonalData(username=self.user.username, email=self.user.email, name=self.user.profile.name)
        return CourseEnrollmentData(
            user=UserData(pii=pii, id=self.user.id, is_active=self.user.is_active),
            course=CourseData(course_key=self.course_id, display_name=self.course.display_name),
            mode=self.mode,
            is_active=self.is_active,
            creation_date=self.created,
        )


class HistoricalCourseEnrollment(models.Model):
    """The table that the platform's history library makes."""

    history_id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    enrollment_id = models.IntegerField()
    user_id = models.IntegerField()
    mode = models.CharField(max_length=100)
    is_active = models.BooleanField()

    class Meta:
        db_table = "student_courseenrollment_history"
