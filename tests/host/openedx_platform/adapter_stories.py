"""What the contract leaves open: what else happens on the platform, and what it refuses."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from accounts_and_runs import make_account, make_run
from common.djangoapps.student.models import AccountRecovery, CourseAccessRole, CourseEnrollment
from common.djangoapps.student.models.course_enrollment import HistoricalCourseEnrollment
from common.djangoapps.student.signals import (
    ENROLL_STATUS_CHANGE,
    ENROLLMENT_TRACK_UPDATED,
    UNENROLL_DONE,
)
from completion.models import BlockCompletion
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from lms.djangoapps.courseware.models import StudentModule
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.signals.signals import USER_ACCOUNT_ACTIVATED
from openedx.core.djangoapps.user_api.models import UserRetirementRequest
from openedx_events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    COURSE_ENROLLMENT_CREATED,
    COURSE_UNENROLLMENT_COMPLETED,
)

from program_enrollments.data import Attendance, Seat
from program_enrollments.host.openedx import OpenEdxHost
from program_enrollments.host.openedx.course_enrollments import MAX_MESSAGE_LENGTH

pytestmark = pytest.mark.django_db

STARTED = "org.openedx.learning.course.enrollment.started.v1"
ENDED = "org.openedx.learning.course.unenrollment.started.v1"
PLAIN = {
    "ENROLL_STATUS_CHANGE": ENROLL_STATUS_CHANGE,
    "ENROLLMENT_TRACK_UPDATED": ENROLLMENT_TRACK_UPDATED,
    "UNENROLL_DONE": UNENROLL_DONE,
}
PUBLIC = {
    "CREATED": COURSE_ENROLLMENT_CREATED,
    "CHANGED": COURSE_ENROLLMENT_CHANGED,
    "UNENROLLED": COURSE_UNENROLLMENT_COMPLETED,
}


def put(*seats):
    return dict(OpenEdxHost().course_enrollments.put_seats(seats=seats))


def seats_of(course):
    rows = CourseEnrollment.objects.filter(course_id=CourseKey.from_string(course))
    return {(user, mode, active) for user, mode, active in rows.values_list("user_id", "mode", "is_active")}


@pytest.fixture
def heard():
    """Names of all signals sent, and what `UNENROLL_DONE` and `ENROLL_STATUS_CHANGE` carried."""
    names = []

    def listen(name, signal):
        def receiver(**kwargs):
            extra = kwargs.get("event") or kwargs.get("skip_refund")
            names.append(name if extra is None else f"{name}:{extra}")

        signal.connect(receiver, weak=False)
        return signal, receiver

    connected = [listen(name, signal) for name, signal in (PLAIN | PUBLIC).items()]
    yield names
    for signal, receiver in connected:
        signal.disconnect(receiver)


@pytest.fixture
def connect():
    """Connect a receiver for one test."""
    connected = []

    def add(signal, receiver):
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield add
    for signal, receiver in connected:
        signal.disconnect(receiver)


@pytest.fixture
def filtered(settings):
    def configure(step, kind=STARTED):
        settings.OPEN_EDX_FILTERS_CONFIG = {
            kind: {"fail_silently": False, "pipeline": [f"filter_steps.{step}"]},
        }

    return configure


class TestWhatFollowsASeat:
    def test_a_new_seat_is_announced_as_an_enrollment_in_our_mode(self, heard):
        user, course = make_account(), make_run("audit", "masters")

        assert put(Seat(user.pk, course, "masters", True)) == {}

        assert seats_of(course) == {(user.pk, "masters", True)}
        assert Counter(heard) == Counter(
            ["CHANGED", "ENROLLMENT_TRACK_UPDATED", "ENROLL_STATUS_CHANGE:enroll", "CREATED"]
        )
        history = HistoricalCourseEnrollment.objects.filter(user_id=user.pk)
        assert set(history.values_list("mode", "is_active")) == {("audit", False), ("masters", True)}

    @pytest.mark.parametrize("free", ["audit", "honor"])
    def test_a_free_seat_is_turned_into_ours_by_a_change_of_mode(self, heard, free):
        user, course = make_account(), make_run(free, "masters")
        CourseEnrollment.enroll(user, CourseKey.from_string(course), mode=free)
        heard.clear()

        assert put(Seat(user.pk, course, "masters", True)) == {}

        assert seats_of(course) == {(user.pk, "masters", True)}
        assert Counter(heard) == Counter(["CHANGED", "ENROLLMENT_TRACK_UPDATED"])

    def test_an_ended_seat_is_announced_and_nothing_is_refunded(self, heard):
        user, course = make_account(), make_run("masters")
        put(Seat(user.pk, course, "masters", True))
        heard.clear()

        assert put(Seat(user.pk, course, "masters", False)) == {}

        assert Counter(heard) == Counter(
            ["CHANGED", "UNENROLL_DONE:True", "ENROLL_STATUS_CHANGE:unenroll", "UNENROLLED"]
        )

    def test_a_seat_that_is_active_again_is_announced_like_a_new_one(self, heard):
        user, course = make_account(), make_run("masters")
        put(Seat(user.pk, course, "masters", True))
        put(Seat(user.pk, course, "masters", False))
        heard.clear()

        assert put(Seat(user.pk, course, "masters", True)) == {}

        assert Counter(heard) == Counter(["CHANGED", "ENROLL_STATUS_CHANGE:enroll", "CREATED"])

    def test_a_seat_put_inactive_at_once_is_never_announced_as_an_enrollment(self, heard):
        user, course = make_account(), make_run("audit", "masters")

        assert put(Seat(user.pk, course, "masters", False)) == {}

        assert seats_of(course) == {(user.pk, "masters", False)}
        assert Counter(heard) == Counter(["CHANGED", "ENROLLMENT_TRACK_UPDATED"])

    def test_the_same_seat_once_more_writes_and_announces_nothing(self, heard):
        user, course = make_account(), make_run("masters")
        put(Seat(user.pk, course, "masters", True))
        heard.clear()
        history = HistoricalCourseEnrollment.objects.count()

        assert put(Seat(user.pk, course, "masters", True)) == {}

        assert heard == []
        assert HistoricalCourseEnrollment.objects.count() == history


class TestWhatIsRefused:
    def test_a_run_that_is_not_offered_in_our_mode(self, heard):
        user, course, bare = make_account(), make_run("audit", "verified"), make_run()

        failures = put(Seat(user.pk, course, "masters", True), Seat(user.pk, bare, "masters", True))

        assert {(failure.code, failure.permanent) for failure in failures.values()} == {("course_mode_missing", True)}
        assert set(failures) == {(user.pk, course), (user.pk, bare)}
        assert "masters" in failures[user.pk, course].detail
        assert (heard, seats_of(course), seats_of(bare)) == ([], set(), set())

    def test_a_seat_in_a_mode_that_the_run_lost_is_activated_and_ended_in_it(self):
        user, course = make_account(), make_run("masters")
        CourseEnrollment.enroll(user, CourseKey.from_string(course), mode="verified")

        assert put(Seat(user.pk, course, "verified", False)) == {}
        assert put(Seat(user.pk, course, "verified", True)) == {}

        assert seats_of(course) == {(user.pk, "verified", True)}

    def test_a_key_in_another_case_is_another_run(self):
        user, course = make_account(), make_run("masters", key="course-v1:Uni+Case+2026")

        failures = put(Seat(user.pk, course.lower(), "masters", True))

        assert failures[user.pk, course.lower()].code == "course_run_unknown"
        assert not OpenEdxHost().course_enrollments.fetch_seats(user_ids=[user.pk], course_ids=[course.lower()])

    @pytest.mark.parametrize("key", ["", "no key", "course-v1:Uni+C+2026\n", "library-v1:Uni+L", "Ünï/C/2026 "])
    def test_what_is_no_key_of_a_course_run(self, key):
        user = make_account()

        assert put(Seat(user.pk, key, "masters", True))[user.pk, key].code == "course_run_unknown"
        assert not OpenEdxHost().course_enrollments.fetch_seats(user_ids=[user.pk], course_ids=[key])

    def test_an_account_without_a_profile_and_one_that_is_gone(self):
        course, bare = make_run("masters"), User.objects.create(username="service")

        failures = put(Seat(bare.pk, course, "masters", True), Seat(bare.pk + 1000, course, "masters", True))

        assert failures[bare.pk, course].code == "account_without_profile"
        assert failures[bare.pk + 1000, course].code == "account_unknown"
        assert seats_of(course) == set()

    def test_a_filter_refuses_with_its_message_and_the_others_go_through(self, filtered, heard):
        filtered("FeesAreOpen")
        debtor, other, course = make_account(name="Debtor"), make_account(), make_run("masters")

        failures = put(Seat(debtor.pk, course, "masters", True), Seat(other.pk, course, "masters", True))

        assert set(failures) == {(debtor.pk, course)}
        assert failures[debtor.pk, course] == ("enrollment_refused", "Fees of the semester are open.", True)
        assert seats_of(course) == {(other.pk, "masters", True)}

    def test_a_filter_that_says_nothing_is_given_words(self, filtered):
        filtered("RefusesWithoutAWord")
        user, course = make_account(), make_run("masters")

        failure = put(Seat(user.pk, course, "masters", True))[user.pk, course]

        assert (failure.code, bool(failure.detail.strip())) == ("enrollment_refused", True)
        assert len(failure.detail) <= MAX_MESSAGE_LENGTH

    def test_a_filter_keeps_somebody_in(self, filtered):
        user, course = make_account(), make_run("masters")
        put(Seat(user.pk, course, "masters", True))
        filtered("ThesisIsOpen", ENDED)

        failures = put(Seat(user.pk, course, "masters", False))

        assert failures[user.pk, course].detail == "The thesis is not handed in."
        assert seats_of(course) == {(user.pk, "masters", True)}

    @pytest.mark.parametrize("step", ["AuditFirst", "SomebodyElse"])
    def test_what_a_filter_makes_of_somebody_elses_seat_is_taken_back(self, filtered, step):
        make_account()
        user, course = make_account(), make_run("audit", "masters")
        filtered(step)

        failures = put(Seat(user.pk, course, "masters", True))

        assert failures[user.pk, course].code == "enrollment_changed"
        assert seats_of(course) == set()

    def test_a_receiver_that_swallows_a_database_error_does_not_lose_a_seat_without_a_word(self, connect):
        user, other, course = make_account(), make_account(), make_run("masters")

        def swallow(*, event, **kwargs):
            if kwargs["user"].pk != user.pk:
                return
            try:
                with transaction.atomic(savepoint=False):
                    User.objects.create(username=user.username)
            except IntegrityError:
                pass

        connect(ENROLL_STATUS_CHANGE, swallow)

        failures = put(Seat(user.pk, course, "masters", True), Seat(other.pk, course, "masters", True))

        assert set(failures) == {(user.pk, course)}
        assert (failures[user.pk, course].code, failures[user.pk, course].permanent) == ("enrollment_failed", False)
        assert seats_of(course) == {(other.pk, "masters", True)}

    def test_a_receiver_that_raises_reaches_the_caller_who_takes_the_call_back(self, connect):
        user, course = make_account(), make_run("masters")

        def fail(**kwargs):
            raise ValueError("a plug-in")

        connect(ENROLL_STATUS_CHANGE, fail)

        with pytest.raises(ValueError, match="a plug-in"), transaction.atomic():
            put(Seat(user.pk, course, "masters", True))
        assert seats_of(course) == set()


def test_reading_around_seats_costs_the_same_for_one_and_for_many():
    course, users = make_run("masters"), [make_account() for _ in range(40)]
    put(*(Seat(user.pk, course, "masters", True) for user in users))

    def statements(count):
        with CaptureQueriesContext(connection) as captured:
            put(*(Seat(user.pk, course, "masters", True) for user in users[:count]))
        return [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]

    assert len(statements(1)) == len(statements(40)) == 4


class TestAccounts:
    accounts = OpenEdxHost().accounts

    def test_who_asked_to_be_forgotten_has_no_confirmed_address(self):
        user = make_account(email="retired__user_1@retired.example")
        UserRetirementRequest.objects.create(user=user)

        assert not self.accounts.confirmed_emails(user_ids=[user.pk])
        assert not self.accounts.users_by_confirmed_email(emails=[user.email])
        assert not self.accounts.confirm_email(user_id=user.pk, email=user.email)

        UserRetirementRequest.objects.all().delete()
        assert dict(self.accounts.confirmed_emails(user_ids=[user.pk])) == {user.pk: user.email}

    def test_a_recovery_address_names_its_account_once_it_is_confirmed(self):
        user = make_account(email="ann@home.example")
        recovery = AccountRecovery.objects.create(user=user, secondary_email="Ann@uni.example")
        assert not self.accounts.users_by_confirmed_email(emails=["ann@uni.example"])
        assert dict(self.accounts.users_by_email(emails=["ann@uni.example"])) == {"ann@uni.example": {user.pk}}

        recovery.is_active = True
        recovery.save()

        assert dict(self.accounts.users_by_confirmed_email(emails=["ann@uni.example", "ann@home.example"])) == {
            "ann@uni.example": user.pk,
            "ann@home.example": user.pk,
        }

    def test_an_address_that_is_one_accounts_and_anothers_for_recovery_names_nobody(self):
        make_account(email="ann@uni.example")
        other = make_account(email="ben@uni.example")
        AccountRecovery.objects.create(user=other, secondary_email="ann@uni.example", is_active=True)

        assert not self.accounts.users_by_confirmed_email(emails=["ann@uni.example"])

    def test_the_universitys_word_activates_an_account_as_its_link_would(self, connect):
        told = []
        connect(USER_ACCOUNT_ACTIVATED, lambda user, **kwargs: told.append(user.pk))
        user = make_account(email="ann@uni.example", is_active=False)

        assert self.accounts.confirm_email(user_id=user.pk, email="ann@uni.example")

        user.refresh_from_db()
        assert user.is_active
        assert user.registration.activation_timestamp is not None
        assert told == [user.pk]

    def test_an_account_without_registration_is_activated_too(self):
        user = make_account(email="ann@uni.example", is_active=False)
        user.registration.delete()

        assert self.accounts.confirm_email(user_id=user.pk, email="ann@uni.example")

        user.refresh_from_db()
        assert user.is_active

    def test_an_address_that_another_account_has_confirmed_is_not_confirmed_again(self):
        owner = make_account(email="owner@uni.example")
        AccountRecovery.objects.create(user=owner, secondary_email="ann@uni.example", is_active=True)
        user = make_account(email="ann@uni.example", is_active=False)

        assert not self.accounts.confirm_email(user_id=user.pk, email="ann@uni.example")

        user.refresh_from_db()
        assert not user.is_active


class TestCourseStaff:
    def test_an_account_that_is_not_active_is_a_passing_failure(self):
        sleeping, awake, course = make_account(is_active=False), make_account(), make_run("masters")

        failures = OpenEdxHost().course_roles.grant_course_staff(pairs=[(sleeping.pk, course), (awake.pk, course)])

        assert set(failures) == {(sleeping.pk, course)}
        assert (failures[sleeping.pk, course].code, failures[sleeping.pk, course].permanent) == (
            "account_inactive",
            False,
        )
        assert CourseAccessRole.objects.get().user_id == awake.pk

    def test_other_roles_are_not_taken(self):
        user, course = make_account(), make_run("masters")
        key = CourseKey.from_string(course)
        for role, where in (("staff", key), ("instructor", key), ("staff", None)):
            CourseAccessRole.objects.create(user=user, org="Uni", course_id=where or "", role=role)

        assert not OpenEdxHost().course_roles.revoke_course_staff(pairs=[(user.pk, course)])

        left = {(row.role, row.course_id) for row in CourseAccessRole.objects.all()}
        assert left == {("instructor", key), ("staff", None)}


def test_days_are_those_of_first_and_last_touch_and_of_completion_in_utc():
    user, course = make_account(), make_run("masters")
    key = CourseKey.from_string(course)
    module = StudentModule.objects.create(
        student=user, course_id=key, module_state_key=key.make_usage_key("problem", "p"), module_type="problem"
    )
    StudentModule.objects.filter(pk=module.pk).update(
        created=datetime(2026, 3, 2, 23, 59, tzinfo=UTC), modified=datetime(2026, 3, 4, 0, 1, tzinfo=UTC)
    )
    for name, completion in (("done", 1.0), ("undone", 0.0)):
        made = BlockCompletion.objects.create(
            user=user,
            context_key=key,
            block_key=key.make_usage_key("html", name),
            block_type="html",
            completion=completion,
        )
        day = 6 if completion else 9
        moment = datetime(2026, 3, day, 12, tzinfo=UTC)
        BlockCompletion.objects.filter(pk=made.pk).update(created=moment, modified=moment)

    told = OpenEdxHost().attendance.fetch_attendance(course_id=course, user_ids=[user.pk], since=date(2026, 3, 4))

    assert told == {
        user.pk: Attendance(first_attended=date(2026, 3, 2), last_attended=date(2026, 3, 6), days_attended=2)
    }
