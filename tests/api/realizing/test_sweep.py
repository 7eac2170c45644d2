"""A sweep makes real whatever could be and isn't, costs nobody twice, and says honestly what is left."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from social_django.models import UserSocialAuth

from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.data import LearnerProblem, LinkHow
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    School,
)
from tests.api.conftest import World
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    IdentityProviderFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    SchoolEmailDomainFactory,
    SchoolFactory,
    UserSocialAuthFactory,
)
from tests.factories.host import ConfirmedUserFactory, UserFactory

pytestmark = pytest.mark.django_db


def waiting(school: School, *, count: int, by: str, prefix: str) -> list[Learner]:
    """Make learners who wait in a program and a course run, each claimed by an account, `by` sso or email."""
    curriculum = CurriculumFactory(program__school=school)
    course_run = CourseRunFactory(curricula=[curriculum])
    domain = f"{school.key}.example"
    keys = [f"{prefix}-{number}" for number in range(count)]
    Learner.objects.bulk_create(
        Learner(school=school, **({"student_key": key} if by == "sso" else {"email": f"{key}@{domain}"}))
        for key in keys
    )
    learners = list(Learner.objects.filter(school=school, user=None).order_by("pk"))[-count:]
    PreemptiveProgramEnrollment.objects.bulk_create(
        PreemptiveProgramEnrollment(
            program=curriculum.program, curriculum=curriculum, learner=learner, status="enrolled"
        )
        for learner in learners
    )
    PreemptiveCourseEnrollment.objects.bulk_create(
        PreemptiveCourseEnrollment(program=curriculum.program, course_run=course_run, learner=learner, status="active")
        for learner in learners
    )
    if by == "sso":
        provider = IdentityProviderFactory(school=school)
        User.objects.bulk_create(User(username=f"{school.key}-{key}") for key in keys)
        users = User.objects.in_bulk([f"{school.key}-{key}" for key in keys], field_name="username")
        UserSocialAuth.objects.bulk_create(
            UserSocialAuth(user=users[f"{school.key}-{key}"], provider="tpa-saml", uid=f"{provider.slug}:{key}")
            for key in keys
        )
    else:
        for key in keys:
            ConfirmedUserFactory(email=f"{key.upper()}@{domain}")
    return learners


def test_three_schools_with_evidence_of_every_kind(db: None) -> None:
    schools = [SchoolFactory(), SchoolFactory(), SchoolFactory()]
    for school in schools:
        SchoolEmailDomainFactory(school=school, domain=f"{school.key}.example")
        waiting(school, count=5, by="sso", prefix="same")
        waiting(school, count=4, by="email", prefix="mail")
    outsider = LearnerFactory(school=schools[0], email="mail-0@elsewhere.example", student_key="")
    ConfirmedUserFactory(email="mail-0@elsewhere.example")
    unconfirmed = LearnerFactory(school=schools[0], email=f"later@{schools[0].key}.example", student_key="")
    UserFactory(email=f"later@{schools[0].key}.example")
    nobody = LearnerFactory(school=schools[1], student_key="nobody")

    report = api.sweep()

    assert (report.done.linked, report.done.program_enrollments, report.done.course_enrollments) == (27, 27, 27)
    assert report.is_clean
    assert set(Learner.objects.filter(user=None)) == {outsider, unconfirmed, nobody}
    assert Learner.objects.filter(link_how=LinkHow.SSO).count() == 15
    assert Learner.objects.filter(link_how=LinkHow.EMAIL).count() == 12
    assert CourseEnrollment.objects.filter(mode="masters", is_active=True).count() == 27
    for learner in Learner.objects.filter(link_how=LinkHow.SSO).select_related("user", "school"):
        assert learner.user is not None
        assert learner.user.username == f"{learner.school.key}-{learner.student_key}"
    assert set(LedgerEntry.objects.values_list("source", flat=True)) == {"sweep"}


def test_a_second_sweep_finds_nothing(world: World) -> None:
    waiting(world.school, count=3, by="sso", prefix="s")
    api.sweep()
    entries = LedgerEntry.objects.count()

    report = api.sweep()

    assert (report.found, report.done.linked, LedgerEntry.objects.count()) == (0, 0, entries)


def test_a_dry_run_counts_each_learner_once_and_writes_nothing(world: World) -> None:
    (learner,) = waiting(world.school, count=1, by="sso", prefix="s")
    Learner.objects.filter(pk=learner.pk).update(email="s@uni-a.example", email_normalized="s@uni-a.example")
    ConfirmedUserFactory(email="s@uni-a.example")
    PreemptiveProgramEnrollmentFactory(learner=LinkedLearnerFactory(school=world.school))

    with CaptureQueriesContext(connection) as captured:
        report = api.sweep(dry_run=True)

    assert report.found == 2
    assert not any(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in captured.captured_queries)
    assert not ProgramEnrollment.objects.exists()


@pytest.mark.parametrize("by", ["sso", "email"])
def test_batches_cost_the_same_whatever_their_size(by: str, settings: Settings, world: World) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 400}
    SchoolEmailDomainFactory(school=world.school, domain="uni-a.example")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.sweep().is_clean
        return sum(not query["sql"].startswith(("SAVEPOINT", "RELEASE")) for query in captured.captured_queries)

    # Somebody who is in already: the look at seats has something to look at each time.
    waiting(world.school, count=1, by=by, prefix="first")
    api.sweep()
    waiting(world.school, count=10, by=by, prefix="few")
    few = statements()
    UserSocialAuth.objects.all().delete()
    waiting(world.school, count=200, by=by, prefix="many")

    assert statements() == few
    assert ProgramCourseEnrollment.objects.count() == 211


def test_a_uid_in_another_spelling_is_found(world: World) -> None:
    learner = LearnerFactory(school=world.school, student_key="Mü-1")
    account = UserSocialAuthFactory(uid="uni-a: MU\N{COMBINING DIAERESIS}-1 ").user
    Learner.objects.exclude(pk=learner.pk).delete()

    assert api.sweep().done.linked == 1
    learner.refresh_from_db()
    assert learner.user == account


@pytest.mark.parametrize("uid", ["uni-a", "uni-a:", "uni-b:s-1", ":s-1", "s-1"])
def test_uids_that_name_nobody_link_nobody(uid: str, world: World) -> None:
    LearnerFactory(school=world.school, student_key="s-1")
    UserSocialAuthFactory(uid=uid)
    UserSocialAuthFactory(provider="google-oauth2", uid="uni-a:s-1")

    assert api.sweep().found == 0


@pytest.mark.parametrize("chunk", [1, 1000], ids=["in batches apart", "in one batch"])
def test_a_student_id_that_two_accounts_claim_becomes_a_conflict(chunk: int, settings: Settings, world: World) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": chunk}
    old = IdentityProviderFactory(school=world.school, slug="uni-a-old")
    learner = LearnerFactory(school=world.school, student_key="s-1")
    UserSocialAuthFactory(uid="uni-a:s-1")
    UserSocialAuthFactory(uid=f"{old.slug}:s-1")

    report = api.sweep()

    learner.refresh_from_db()
    assert (learner.user, learner.problem_code) == (None, LearnerProblem.CONFLICT)
    assert (report.done.conflicts, report.in_need, report.is_clean) == (1, 1, False)
    again = api.sweep()
    assert (again.found, again.done.conflicts, again.in_need, again.is_clean) == (0, 0, 1, False)


def test_two_providers_naming_one_account_is_no_conflict(world: World) -> None:
    IdentityProviderFactory(school=world.school, slug="uni-a-old")
    learner = LearnerFactory(school=world.school, student_key="s-1")
    account = UserFactory()
    for slug in ("uni-a", "uni-a-old"):
        UserSocialAuthFactory(user=account, uid=f"{slug}:s-1")

    assert api.sweep().is_clean
    learner.refresh_from_db()
    assert learner.user == account


def test_what_the_host_refuses_is_tried_once_a_sweep_and_given_up_after_some(world: World) -> None:
    (learner,) = waiting(world.school, count=1, by="sso", prefix="s")
    bad = PreemptiveCourseEnrollmentFactory(
        learner=learner, program=world.program, course_run=CourseRunFactory(in_host=False)
    )
    for tries in range(1, 6):
        report = api.sweep()
        bad.refresh_from_db()
        assert (bad.tries, bad.refusals, report.done.failures) == (tries, tries, 1)
        assert not report.is_clean

    report = api.sweep()

    bad.refresh_from_db()
    assert (bad.tries, report.found, report.done.failures) == (5, 0, 0)
    assert (report.in_need, report.is_clean) == (1, False)
    assert ProgramCourseEnrollment.objects.filter(learner=learner).count() == 1


def break_realizing_of(learner: Learner) -> None:
    """Let realizing this learner fail in the database, as a defect would: there is an enrollment it doesn't expect."""
    promise = PreemptiveProgramEnrollment.objects.get(learner=learner)
    ProgramEnrollment.objects.create(
        program=promise.program, learner=learner, curriculum=promise.curriculum, status="enrolled"
    )


def test_a_learner_who_fails_costs_nobody_else_and_is_shown(
    world: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    learners = waiting(world.school, count=7, by="sso", prefix="s")
    broken = learners[3]
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 3}
    told: list[int] = []

    def break_once(done: int, total: int) -> None:
        # After the sweep has mended what stood there before.
        if not told:
            break_realizing_of(broken)
        told.append(done)

    report = api.sweep(progress=break_once)

    assert (report.done.linked, report.failed_learners, report.in_need, report.is_clean) == (6, 1, 1, False)
    broken.refresh_from_db()
    assert (broken.user, broken.problem_code) == (None, LearnerProblem.REALIZING_FAILED)
    assert "s-3" not in caplog.text

    assert api.sweep().is_clean, "the next one mends it first"
    broken.refresh_from_db()
    assert (broken.user is not None, broken.problem_code) == (True, "")


def test_progress_is_told_up_to_the_end(settings: Settings, world: World) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    waiting(world.school, count=5, by="sso", prefix="s")
    told: list[tuple[int, int]] = []

    api.sweep(dry_run=True, progress=lambda done, total: told.append((done, total)))

    assert [done for done, _ in told] == [2, 2, 1]
    assert {total for _, total in told} == {5}


@pytest.mark.django_db(transaction=True)
def test_stopped_in_the_middle_it_keeps_what_it_did_and_goes_on_later(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 2}
    waiting(SchoolFactory(), count=5, by="sso", prefix="s")

    def stop_after_the_first_batch(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.sweep(progress=stop_after_the_first_batch)

    assert not transaction.get_connection().in_atomic_block
    assert Learner.objects.filter(user__isnull=False).count() == 2
    assert ProgramCourseEnrollment.objects.count() == 2
    assert api.sweep().done.linked == 3
    assert ProgramCourseEnrollment.objects.count() == 5
