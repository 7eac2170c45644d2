"""What was promised becomes real: at once, exactly once, for the right person."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from social_django.models import UserSocialAuth

from demo_lms.models import CourseAccessRole, CourseEnrollment
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments import api
from program_enrollments.data import ChangeKind, LinkHow, Origin, Source
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import World
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    IdentityProviderFactory,
    SchoolEmailDomainFactory,
    SchoolFactory,
)
from tests.factories.host import UserFactory


def nothing_waits() -> bool:
    return not (PreemptiveProgramEnrollment.objects.exists() or PreemptiveCourseEnrollment.objects.exists())


def seat_of(user: User, world: World) -> tuple[str, bool] | None:
    return (
        CourseEnrollment.objects.filter(user=user, course_run=world.course_run.course_id)
        .values_list("mode", "is_active")
        .first()
    )


def test_sign_on_makes_promises_real(world: World) -> None:
    assert world.write_program(("S-1", "enrolled")) == {"S-1": "enrolled"}
    assert world.write_course(("S-1", "active")) == {"S-1": "active"}

    user = world.sign_on("S-1")

    learner = Learner.objects.get()
    assert (learner.user, learner.link_how) == (user, LinkHow.SSO)
    assert ProgramEnrollment.objects.get().status == "enrolled"
    assert ProgramCourseEnrollment.objects.get().status == "active"
    assert nothing_waits()
    assert seat_of(user, world) == ("masters", True)


def test_promises_keep_their_status_and_the_day_they_were_made(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "pending"))
    created = PreemptiveProgramEnrollment.objects.get().created

    world.sign_on("S-1")

    enrollment = ProgramEnrollment.objects.get()
    assert (enrollment.status, enrollment.created) == ("pending", created)


def test_an_inactive_promise_takes_no_seat(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "inactive"))
    user = world.sign_on("S-1")
    assert ProgramCourseEnrollment.objects.get().status == "inactive"
    assert seat_of(user, world) is None


def test_signing_on_again_changes_nothing(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    user = world.sign_on("S-1")
    entries = LedgerEntry.objects.count()

    world.sign_on("S-1", user=user)

    assert LedgerEntry.objects.count() == entries
    assert (ProgramEnrollment.objects.count(), ProgramCourseEnrollment.objects.count()) == (1, 1)


@pytest.mark.parametrize("remote_id", ["s-1", " S-1 ", "Ｓ-１"])
def test_an_id_is_recognized_however_it_is_spelled(world: World, remote_id: str) -> None:
    world.write_program(("S-1", "enrolled"))
    user = world.sign_on(remote_id)
    assert Learner.objects.get().user == user


def test_letters_with_and_without_accent_are_two_students(world: World) -> None:
    world.write_program(("é1", "enrolled"), ("e1", "enrolled"))
    user = world.sign_on("E1")
    assert list(Learner.objects.filter(user=user).values_list("student_key", flat=True)) == ["e1"]


def test_an_id_may_hold_colons(world: World) -> None:
    world.write_program(("a:b:c", "enrolled"))
    user = world.sign_on("a:b:c")
    assert Learner.objects.get().user == user


@pytest.mark.parametrize(
    ("provider", "uid"),
    [
        ("tpa-saml", "S-1"),
        ("tpa-saml", ":S-1"),
        ("tpa-saml", "uni-a:"),
        ("tpa-saml", "uni-a:   "),
        ("tpa-saml", "uni-x:S-1"),
        ("tpa-saml", "UNI-A:S-1"),
        ("google-oauth2", "uni-a:S-1"),
        ("oauth", "uni-a:S-1"),
        ("tpa-saml", "uni-a:" + "9" * 200 + "S-1"),
    ],
)
def test_other_identities_link_nobody(world: World, provider: str, uid: str) -> None:
    world.write_program(("S-1", "enrolled"))
    with world.run_callbacks(execute=True):
        UserSocialAuth.objects.create(user=UserFactory(), provider=provider, uid=uid)

    assert Learner.objects.get(student_key="S-1").user is None
    assert PreemptiveProgramEnrollment.objects.count() == 1


def test_another_schools_provider_cannot_name_a_schools_students(world: World) -> None:
    IdentityProviderFactory(slug="uni-b", school=SchoolFactory(key="uni-b"))
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1", slug="uni-b")
    assert Learner.objects.get(school=world.school).user is None


def test_a_disabled_provider_links_nobody(world: World) -> None:
    world.provider.is_enabled = False
    world.provider.save()
    world.write_program(("S-1", "enrolled"))
    world.sign_on("S-1")
    assert Learner.objects.get().user is None


def test_a_confirmed_address_makes_promises_real(world: World) -> None:
    world.write_program(("Student@Uni-A.example", "enrolled"))
    world.write_course(("student@uni-a.example", "active"))
    user = UserFactory()

    with world.run_callbacks(execute=True):
        user.email = "student@uni-a.example"
        user.save()
    assert Learner.objects.get().user is None, "an address nobody confirmed proves nothing"

    world.confirm_email(user, "student@uni-a.example")
    assert (Learner.objects.get().user, Learner.objects.get().link_how) == (user, LinkHow.EMAIL)
    assert nothing_waits()
    assert seat_of(user, world) == ("masters", True)


def test_an_address_outside_the_schools_domains_is_no_evidence(world: World) -> None:
    world.write_program(("student@elsewhere.example", "enrolled"))
    SchoolEmailDomainFactory(school=world.school, domain="uni-a.example")
    world.confirm_email(UserFactory(), "student@elsewhere.example")
    assert Learner.objects.get().user is None


def test_one_account_can_be_a_learner_of_two_schools(world: World) -> None:
    other = CurriculumFactory(program__school=SchoolFactory(key="uni-b"))
    IdentityProviderFactory(slug="uni-b", school=other.program.school)
    world.write_program(("S-1", "enrolled"))
    world.write_program(("S-1", "pending"), program=other.program)

    user = world.sign_on("S-1")
    assert set(Learner.objects.values_list("user_id", flat=True)) == {user.pk, None}

    world.sign_on("S-1", user=user, slug="uni-b")
    assert set(ProgramEnrollment.objects.values_list("learner__user_id", "status")) == {
        (user.pk, "enrolled"),
        (user.pk, "pending"),
    }


def test_whoever_signed_on_first_is_found_by_a_later_write(world: World) -> None:
    user = world.sign_on("s-1")
    assert world.write_program(("S-1", "enrolled")) == {"S-1": "enrolled"}
    assert world.write_course(("S-1", "active")) == {"S-1": "active"}
    assert ProgramEnrollment.objects.get().learner.user == user
    assert seat_of(user, world) == ("masters", True)


def test_accounts_from_before_the_identity_provider_are_found_by_a_write(world: World) -> None:
    world.provider.is_enabled = False
    world.provider.save()
    user = world.sign_on("S-1")
    assert UserSocialAuth.objects.count() == 1
    world.provider.is_enabled = True
    world.provider.save()

    world.write_program(("S-1", "enrolled"))
    assert ProgramEnrollment.objects.get().learner.user == user


def test_an_account_with_a_confirmed_address_is_found_by_a_write(world: World) -> None:
    user = UserFactory()
    world.confirm_email(user, "student@uni-a.example")
    world.write_program(("STUDENT@uni-a.example", "enrolled"))
    assert ProgramEnrollment.objects.get().learner.user == user


class TestWhenTheHostRefuses:
    """One bad course run costs neither the sign-in nor the other course runs."""

    @pytest.fixture
    def user(self, world: World) -> User:
        closed = CourseRunFactory(curricula=[world.curriculum])
        HostCourseRun.objects.filter(course_id=closed.course_id).update(enrollment_closed=True)
        world.write_program(("S-1", "enrolled"))
        world.write_course(("S-1", "active"))
        world.write_course(("S-1", "active"), course_run=closed)
        return world.sign_on("S-1")

    def test_the_others_become_real(self, world: World, user: User) -> None:
        assert ProgramCourseEnrollment.objects.get().course_run == world.course_run
        assert seat_of(user, world) == ("masters", True)

    def test_the_failed_one_says_why(self, user: User) -> None:
        waiting = PreemptiveCourseEnrollment.objects.get()
        assert (waiting.problem_code, waiting.tries, waiting.refusals) == ("enrollment_closed", 1, 1)
        assert waiting.problem_detail
        assert waiting.last_tried is not None

    def test_it_is_tried_again_at_the_next_sign_in(self, world: World, user: User) -> None:
        HostCourseRun.objects.update(enrollment_closed=False)
        world.sign_on("S-1", user=user)
        assert nothing_waits()
        assert ProgramCourseEnrollment.objects.count() == 2

    def test_it_is_tried_again_when_the_account_is_saved(self, world: World, user: User) -> None:
        HostCourseRun.objects.update(enrollment_closed=False)
        with world.run_callbacks(execute=True):
            user.save()
        assert nothing_waits()

    def test_after_a_few_refusals_it_waits_for_a_person(self, world: World, user: User) -> None:
        for _ in range(10):
            world.sign_on("S-1", user=user)
        assert PreemptiveCourseEnrollment.objects.get().refusals == 5

        HostCourseRun.objects.update(enrollment_closed=False)
        world.sign_on("S-1", user=user)
        assert not nothing_waits(), "too many refusals: a person has to look"

        api.try_again(learner_ids=[Learner.objects.get().pk], origin=Origin(source=Source.STAFF.value))
        assert nothing_waits()


def test_a_promised_staff_role_is_granted(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active", True))
    user = world.sign_on("S-1")
    assert CourseAccessRole.objects.filter(user=user, course_run=world.course_run.course_id).exists()
    enrollment = ProgramCourseEnrollment.objects.get()
    assert (enrollment.course_staff, enrollment.course_staff_given) == (True, True)


def test_the_ledger_tells_the_story(world: World) -> None:
    world.write_program(("S-1", "enrolled"))
    world.write_course(("S-1", "active"))
    user = world.sign_on("S-1")

    story = list(LedgerEntry.objects.order_by("pk").values_list("kind", "before", "after", "source", "student_key"))
    assert story == [
        (ChangeKind.PROGRAM_ENROLLMENT, None, "enrolled", "api", "S-1"),
        (ChangeKind.COURSE_ENROLLMENT, None, "active", "api", "S-1"),
        (ChangeKind.LINK, None, f"sso:{user.pk}", "sign_in", "S-1"),
        (ChangeKind.PROGRAM_REALIZED, "preemptive", "real", "sign_in", "S-1"),
        (ChangeKind.COURSE_REALIZED, "preemptive", "real", "sign_in", "S-1"),
    ]
    positions = LedgerEntry.objects.filter(program=world.program).order_by("pk").values_list("position", flat=True)
    assert list(positions) == [1, 2, 3, 4]


def test_a_uid_that_is_no_string_breaks_no_sign_in(world: World) -> None:
    with world.run_callbacks(execute=True):
        UserSocialAuth.objects.create(user=UserFactory(), provider="tpa-saml", uid=5)
    assert not Learner.objects.exists()
