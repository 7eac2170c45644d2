"""Whose account is whose: evidence, disagreements, and two records of one person."""

from __future__ import annotations

import pytest
from social_django.models import UserSocialAuth

from demo_lms.models import CourseEnrollment
from program_enrollments import api
from program_enrollments.api.learners.claims import Claim
from program_enrollments.api.learners.links import settle_claims
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.data import ChangeKind, LinkHow, LinkState, Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.exceptions import LinkRefused
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import ORIGIN, World
from tests.factories.enrollment import CourseRunFactory, CurriculumFactory, IdentityProviderFactory, LearnerFactory
from tests.factories.host import UserFactory, confirm_email

STAFF = Origin(source=Source.STAFF.value, reason="asked by phone")


def learner(pk: int, key: str = "", email: str = "", user_id: int | None = None, how: str = "") -> LockedLearner:
    return LockedLearner(pk, key, key or None, email, email or None, user_id, how, 1, "")


class TestDeciding:
    """Pure: no database."""

    def test_a_waiting_learner_is_linked(self) -> None:
        waiting = learner(1, "s-1")
        settlement = settle_claims(claims=[(waiting, Claim(7, "sso"))], owners={})
        assert settlement.links == [(waiting, Claim(7, "sso"))]

    def test_the_same_claim_again_is_nothing(self) -> None:
        settlement = settle_claims(claims=[(learner(1, "s-1", user_id=7, how="sso"), Claim(7, "sso"))], owners={})
        assert (settlement.links, settlement.conflicts, settlement.strengthened) == ([], [], [])

    def test_single_sign_on_strengthens_a_link_by_address(self) -> None:
        linked = learner(1, "s-1", "a@x.example", user_id=7, how="email")
        assert settle_claims(claims=[(linked, Claim(7, "sso"))], owners={}).strengthened == [linked]

    @pytest.mark.parametrize(
        ("linked_by", "claimed_by", "disagrees"),
        [
            ("email", "email", True),
            ("email", "sso", True),
            ("sso", "sso", True),
            ("staff", "sso", True),
            ("sso", "email", False),
            ("staff", "email", False),
        ],
    )
    def test_another_account(self, linked_by: str, claimed_by: str, disagrees: bool) -> None:
        linked = learner(1, "s-1", user_id=7, how=linked_by)
        settlement = settle_claims(claims=[(linked, Claim(8, claimed_by))], owners={})
        assert not settlement.links
        assert bool(settlement.conflicts) is disagrees

    def test_an_account_that_is_another_learner_already(self) -> None:
        waiting, owner = learner(1, "s-1"), learner(2, "s-2", user_id=7, how="sso")
        settlement = settle_claims(claims=[(waiting, Claim(7, "sso"))], owners={(1, 7): owner})
        assert [conflict.learner.id for conflict in settlement.conflicts] == [1]

    def test_two_waiting_learners_claimed_by_one_account_in_one_go(self) -> None:
        one, other = learner(1, "s-1"), learner(2, "s-2")
        settlement = settle_claims(claims=[(one, Claim(7, "sso")), (other, Claim(7, "sso"))], owners={})
        assert [pair[0].id for pair in settlement.links] == [1]
        assert [conflict.learner.id for conflict in settlement.conflicts] == [2]

    def test_two_records_that_complete_each_other_are_one_person(self) -> None:
        waiting, owner = learner(1, email="a@x.example"), learner(2, "s-2", user_id=7, how="sso")
        settlement = settle_claims(claims=[(waiting, Claim(7, "email"))], owners={(1, 7): owner})
        assert settlement.merges == [(waiting, owner)]


class TestDisagreements:
    def test_a_linked_learner_is_never_moved_by_a_sign_on(self, world: World) -> None:
        IdentityProviderFactory(slug="uni-a-new", school=world.school)
        world.write_program(("S-1", "enrolled"))
        first = world.sign_on("S-1")
        world.sign_on("S-1", slug="uni-a-new")

        stored = Learner.objects.get()
        assert stored.user == first
        assert stored.link_state == LinkState.CONFLICT
        assert stored.problem_detail
        assert ProgramEnrollment.objects.count() == 1

    def test_a_second_id_of_one_account_is_shown_and_its_enrollments_wait(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
        user = world.sign_on("S-1")
        world.sign_on("S-2", user=user)
        second = Learner.objects.get(student_key="S-2")
        assert (second.user, second.link_state) == (None, LinkState.CONFLICT)
        assert PreemptiveProgramEnrollment.objects.get().learner == second

    def test_moving_to_another_provider_of_the_school_keeps_the_link(self, world: World) -> None:
        IdentityProviderFactory(slug="uni-a-new", school=world.school)
        world.write_program(("S-1", "enrolled"))
        user = world.sign_on("S-1")
        world.sign_on("S-1", user=user, slug="uni-a-new")
        assert Learner.objects.get().link_state == LinkState.LINKED


class TestOnePersonTwice:
    """Enrolled by ID in one program and by address in another, before anybody could know that it is one person."""

    def test_sign_on_first_then_the_address(self, world: World) -> None:
        other = CurriculumFactory(program__school=world.school)
        run = CourseRunFactory(curricula=[other])
        world.write_program(("S-1", "enrolled"))
        world.write_program(("a@uni-a.example", "pending"), program=other.program)
        world.write_course(("a@uni-a.example", "active"), program=other.program, course_run=run)

        user = world.sign_on("S-1")
        world.confirm_email(user, "a@uni-a.example")

        stored = Learner.objects.get()
        assert (stored.student_key, stored.email, stored.user) == ("S-1", "a@uni-a.example", user)
        assert set(ProgramEnrollment.objects.values_list("program", "status")) == {
            (world.program.pk, "enrolled"),
            (other.program.pk, "pending"),
        }
        assert ProgramCourseEnrollment.objects.get().course_run == run
        assert LedgerEntry.objects.filter(kind=ChangeKind.MERGE).count() == 1

    def test_the_address_first_then_sign_on(self, world: World) -> None:
        world.write_program(("a@uni-a.example", "enrolled"))
        user = UserFactory()
        world.confirm_email(user, "a@uni-a.example")
        world.sign_on("S-1", user=user)
        assert Learner.objects.get().user == user, "the sign-on names the learner the address had found"
        assert Learner.objects.get().student_key == "S-1"
        assert ProgramEnrollment.objects.count() == 1

    def test_twice_in_one_program(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"), ("a@uni-a.example", "pending"))
        world.write_course(("S-1", "active"), ("a@uni-a.example", "active"))
        user = world.sign_on("S-1")
        world.confirm_email(user, "a@uni-a.example")
        assert ProgramEnrollment.objects.get().status == "enrolled", "what was real stands"
        assert ProgramCourseEnrollment.objects.count() == 1
        assert not PreemptiveProgramEnrollment.objects.exists()
        assert not PreemptiveCourseEnrollment.objects.exists()
        dropped = LedgerEntry.objects.filter(after=None, kind=ChangeKind.PROGRAM_ENROLLMENT)
        assert list(dropped.values_list("before", flat=True)) == ["pending"]


class TestStaff:
    def test_a_person_links_what_no_evidence_could(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        world.write_course(("S-1", "active"))
        user, staff = UserFactory(), UserFactory()
        origin = Origin(source=Source.STAFF.value, actor_id=staff.pk, reason="saw the passport")
        api.link_learner(learner_id=Learner.objects.get().pk, user_id=user.pk, origin=origin)
        assert ProgramCourseEnrollment.objects.get().learner.user == user
        entry = LedgerEntry.objects.get(kind=ChangeKind.LINK)
        assert (entry.actor_id, entry.reason, entry.source) == (staff.pk, "saw the passport", "staff")

    def test_relinking_takes_the_wrong_persons_seats_back(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        world.write_course(("S-1", "active"))
        wrong, right = world.sign_on("S-1"), UserFactory()
        api.link_learner(learner_id=Learner.objects.get().pk, user_id=right.pk, origin=STAFF)
        seats = dict(CourseEnrollment.objects.values_list("user_id", "is_active"))
        assert seats == {wrong.pk: False, right.pk: True}
        assert ProgramEnrollment.objects.get().learner.user == right

    def test_unlinking_makes_enrollments_wait_again(self, world: World) -> None:
        world.write_program(("S-1", "suspended"))
        world.write_course(("S-1", "active", True))
        world.sign_on("S-1")
        api.unlink_learner(learner_id=Learner.objects.get().pk, origin=STAFF)
        assert PreemptiveProgramEnrollment.objects.get().status == "suspended"
        waiting = PreemptiveCourseEnrollment.objects.get()
        assert (waiting.status, waiting.course_staff) == ("active", True)
        assert not ProgramEnrollment.objects.exists()

    def test_an_account_that_is_another_learner_is_refused(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"), ("S-2", "enrolled"))
        user = world.sign_on("S-1")
        with pytest.raises(LinkRefused):
            api.link_learner(learner_id=Learner.objects.get(student_key="S-2").pk, user_id=user.pk, origin=STAFF)
        with pytest.raises(LinkRefused):
            api.link_learner(learner_id=Learner.objects.get(student_key="S-2").pk, user_id=0, origin=STAFF)

    def test_deleting_an_account_makes_its_enrollments_wait_again(self, world: World) -> None:
        world.write_program(("S-1", "enrolled"))
        world.write_course(("S-1", "active"))
        world.sign_on("S-1").delete()
        assert Learner.objects.get().user is None
        assert PreemptiveProgramEnrollment.objects.count() == 1
        world.sign_on("S-1")
        assert ProgramCourseEnrollment.objects.count() == 1

    def test_a_settled_conflict_is_gone_until_a_new_claim(self, world: World) -> None:
        IdentityProviderFactory(slug="uni-a-new", school=world.school)
        world.write_program(("S-1", "enrolled"))
        world.sign_on("S-1")
        other = world.sign_on("S-1", slug="uni-a-new")
        api.settle_conflict(learner_ids=[Learner.objects.get().pk], origin=STAFF)
        assert Learner.objects.get().link_state == LinkState.LINKED
        world.sign_on("S-1", user=other, slug="uni-a-new")
        assert Learner.objects.get().link_state == LinkState.CONFLICT


def test_an_id_added_to_an_address_finds_the_account_that_signed_on_under_it(world: World) -> None:
    user = world.sign_on("S-1")
    world.write_program(("a@uni-a.example", "enrolled"))
    row = ProgramEnrollmentRequest("S-1", "S-1", "a@uni-a.example", "enrolled")
    outcomes = api.write_program_enrollments(program=world.program, rows=[row], verb=Verb.UPSERT, origin=ORIGIN)
    assert outcomes[0].word == "invalid-identity", "the ID is a learner already, and the address another one"
    world.confirm_email(user, "a@uni-a.example")
    assert ProgramEnrollment.objects.get().learner.user == user


def test_two_waiting_records_of_one_account_in_one_program(world: World) -> None:
    world.provider.is_enabled = False
    world.provider.save()
    world.write_program(("S-1", "enrolled"), ("a@uni-a.example", "pending"))
    world.write_course(("S-1", "active"), ("a@uni-a.example", "active"))
    user = world.sign_on("S-1")
    user.email = "a@uni-a.example"
    user.save()
    confirm_email(user)
    world.provider.is_enabled = True
    world.provider.save()
    api.try_again(learner_ids=list(Learner.objects.values_list("pk", flat=True)), origin=STAFF)
    assert Learner.objects.get().user == user
    assert ProgramEnrollment.objects.get().status == "enrolled"
    assert not PreemptiveProgramEnrollment.objects.exists()


def test_two_ids_of_an_account_known_by_address(world: World) -> None:
    IdentityProviderFactory(slug="uni-a-new", school=world.school)
    world.write_program(("a@uni-a.example", "enrolled"))
    user = UserFactory()
    world.confirm_email(user, "a@uni-a.example")
    for uid in ("uni-a:S-1", "uni-a-new:S-2"):
        UserSocialAuth.objects.create(user=user, provider="tpa-saml", uid=uid)
    LearnerFactory(school=world.school, student_key="S-1")
    LearnerFactory(school=world.school, student_key="S-2")
    api.sweep()
    linked = Learner.objects.get(user=user)
    assert linked.student_key in {"S-1", "S-2"}
    other = Learner.objects.exclude(pk=linked.pk).get()
    assert {linked.student_key, other.student_key} == {"S-1", "S-2"}
    assert other.link_state == LinkState.CONFLICT


def test_a_sign_on_strengthens_a_link_by_address(world: World) -> None:
    api.write_program_enrollments(
        program=world.program,
        rows=[ProgramEnrollmentRequest("S-1", "S-1", "a@uni-a.example", "enrolled")],
        verb=Verb.UPSERT,
        origin=ORIGIN,
    )
    user = UserFactory()
    world.confirm_email(user, "a@uni-a.example")
    assert Learner.objects.get().link_how == LinkHow.EMAIL
    world.sign_on("S-1", user=user)
    assert Learner.objects.get().link_how == LinkHow.SSO
    last = LedgerEntry.objects.filter(kind=ChangeKind.LINK).first()
    assert last is not None
    assert (last.before, last.after) == (f"email:{user.pk}", f"sso:{user.pk}")


def test_a_sign_on_that_joins_two_records_strengthens_the_link(world: World) -> None:
    world.write_program(("S-1", "enrolled"), ("a@uni-a.example", "enrolled"))
    user = UserFactory()
    world.confirm_email(user, "a@uni-a.example")
    world.sign_on("S-1", user=user)
    assert Learner.objects.get().link_how == LinkHow.SSO
