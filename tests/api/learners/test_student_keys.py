"""Student IDs that change hands: who has one now, and who may change it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import (
    ChangeKind,
    CourseEnrollmentRequest,
    LearnerProblem,
    SignOnRefusal,
    Verb,
)
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveProgramEnrollment,
    ProgramEnrollment,
)
from tests.api.conftest import ORIGIN, World
from tests.api.steps import STAFF, opened, put, release
from tests.factories.enrollment import (
    CurriculumFactory,
    LearnerFactory,
)
from tests.factories.host import UserFactory
from tests.invariants import find_violations


class TestRenaming:
    def test_the_old_identity_goes_from_the_account(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        api.rename_students(provider=world.provider, renamings=[api.Renaming("A", "A2")], origin=ORIGIN)

        assert list(UserSocialAuth.objects.filter(user=ann).values_list("uid", flat=True)) == ["uni-a:A2"]
        assert opened(world, "A2") == ann
        cat = opened(world, "A")
        assert cat not in (None, ann)
        assert Learner.objects.get(user=cat).student_key == "A"

    def test_an_old_uid_that_comes_back_opens_nothing(self, world: World) -> None:
        """Another process of the host, or a restored backup, may bring the row back: it is older than the change."""
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        old = UserSocialAuth.objects.get(uid="uni-a:A")
        created = old.created
        api.rename_students(provider=world.provider, renamings=[api.Renaming("A", "A2")], origin=ORIGIN)
        UserSocialAuth.objects.bulk_create([old])
        UserSocialAuth.objects.filter(pk=old.pk).update(created=created)
        world.write_program(("A", "enrolled"))

        assert api.sweep().done.linked == 0
        cat = opened(world, "A")
        assert cat not in (None, ann)
        assert find_violations() == []

    def test_honored_until_a_day_both_ids_are_the_student(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        until = timezone.now() + timedelta(days=1)
        api.rename_students(
            provider=world.provider, renamings=[api.Renaming("A", "A2")], origin=ORIGIN, honor_old_until=until
        )

        assert opened(world, "A") == opened(world, "A2") == ann
        assert world.write_program(("a", "suspended")) == {"a": "suspended"}
        assert ProgramEnrollment.objects.get().status == "suspended"
        assert world.write_program(("A", "enrolled"), ("A2", "enrolled")) == {"A": "duplicated", "A2": "duplicated"}

        report = api.sweep(now=until + timedelta(seconds=1))
        assert report.mended.honoring_ended == 1
        assert list(UserSocialAuth.objects.filter(user=ann).values_list("uid", flat=True)) == ["uni-a:A2"]
        assert opened(world, "A") not in (None, ann)

    def test_honoring_ends_by_itself_also_without_the_sweep(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        until = timezone.now() + timedelta(days=1)
        api.rename_students(
            provider=world.provider, renamings=[api.Renaming("A", "A2")], origin=ORIGIN, honor_old_until=until
        )
        later = until + timedelta(seconds=1)

        assert world.write_program(("A", "pending"), now=later) == {"A": "pending"}

        assert ProgramEnrollment.objects.get().status == "enrolled"
        assert PreemptiveProgramEnrollment.objects.get().learner.student_key == "A"
        assert not UserSocialAuth.objects.filter(user=ann, uid="uni-a:A").exists()

    def test_back_again(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        for old, new in (("A", "A2"), ("A2", "A")):
            words = api.rename_students(provider=world.provider, renamings=[api.Renaming(old, new)], origin=ORIGIN)
            assert words == [api.Renamed.RENAMED]
        assert opened(world, "A") == ann
        assert opened(world, "A2") != ann

    def test_to_an_id_that_somebody_gave_up(self, world: World) -> None:
        world.write_program(("A", "enrolled"), ("B", "enrolled"))
        ann, bob = opened(world, "A"), opened(world, "B")
        assert release(world, "A") == ["released"]
        words = api.rename_students(provider=world.provider, renamings=[api.Renaming("B", "A")], origin=ORIGIN)
        assert words == [api.Renamed.RENAMED]
        assert opened(world, "A") == bob
        assert opened(world, "B") not in (ann, bob)


class TestReleasing:
    def test_the_learner_stays_under_the_address(self, world: World) -> None:
        put(world, "A", "ann@uni-a.example")
        ann = opened(world, "A")

        assert release(world, "a") == ["released"]

        learner = Learner.objects.get(user=ann)
        assert (learner.student_key, learner.email) == ("", "ann@uni-a.example")
        assert ProgramEnrollment.objects.get().learner == learner
        assert not UserSocialAuth.objects.exists()
        entry = LedgerEntry.objects.get(kind=ChangeKind.STUDENT_KEY)
        assert (entry.before, entry.after, entry.reason) == ("A", None, "asked by phone")
        assert release(world, "A") == ["released"], "it is free already"

    def test_without_an_address_under_a_pseudonym_that_is_nobodys_id(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        release(world, "A")
        learner = Learner.objects.get(user=ann)

        pseudonym = learner.student_key
        assert pseudonym.startswith("released-")
        assert world.write_program((pseudonym, "canceled")) == {pseudonym: "invalid-identity"}
        outcomes = api.change_program_statuses(
            places=[api.ProgramPlace(world.program.pk, learner.pk)], status="canceled", origin=STAFF
        )
        assert [outcome.word for outcome in outcomes] == ["canceled"], "support can still do it"
        user = world.sign_on(pseudonym)
        assert not Learner.objects.filter(user=user).exists()
        assert release(world, pseudonym) == ["invalid-identity"]

    def test_the_next_holder_is_another_person(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        release(world, "A")
        assert world.write_program(("A", "pending")) == {"A": "pending"}
        cat = opened(world, "A")

        assert ann is not None
        assert cat is not None
        statuses = dict(ProgramEnrollment.objects.values_list("learner__user", "status"))
        assert statuses == {ann.pk: "enrolled", cat.pk: "pending"}
        assert find_violations() == []

    def test_the_next_holder_may_be_known_by_address(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = opened(world, "A")
        release(world, "A")
        world.write_program(("cat@uni-a.example", "pending"))

        assert put(world, "A", "cat@uni-a.example").word == "enrolled"

        cat = Learner.objects.get(email="cat@uni-a.example")
        assert (cat.student_key, cat.user) == ("A", None)
        assert cat.key_since is not None
        assert opened(world, "A") not in (None, ann)
        assert Learner.objects.count() == 2

    def test_of_nobody_and_twice(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        assert release(world, "B", "A", " a ", "") == ["unknown", "duplicated", "duplicated", "invalid-identity"]
        assert Learner.objects.get().student_key == "A"

    def test_one_learner_by_number(self, world: World) -> None:
        learner = LearnerFactory(school=world.school, student_key="A", email="a@uni-a.example")
        assert api.release_learner(learner_id=learner.pk, origin=STAFF)
        assert not api.release_learner(learner_id=learner.pk, origin=STAFF)


class TestRecyclingWithoutAWord:
    """The school sends a known ID with a new address, while the learner is in no program: possibly somebody new."""

    @pytest.fixture
    def ann(self, world: World) -> User:
        put(world, "A", "ann@uni-a.example")
        user = opened(world, "A")
        assert user is not None
        world.write_program(("A", "ended"))
        return user

    def test_is_refused_with_what_to_do_and_shown_to_support(self, world: World, ann: User) -> None:
        outcome = put(world, "A", "cat@uni-a.example")

        assert (outcome.word, outcome.good) == ("invalid-identity", False)
        assert "release" in outcome.detail
        learner = Learner.objects.get()
        assert learner.problem_code == LearnerProblem.POSSIBLY_NEW_PERSON
        assert (learner.email, learner.proposed_email) == ("ann@uni-a.example", "cat@uni-a.example")
        assert learner.pk in api.find_learners_in_need()
        with pytest.raises(SignOnRefused) as refused:
            opened(world, "A")
        assert refused.value.code == SignOnRefusal.ID_IN_QUESTION

    def test_somebody_new_after_the_release(self, world: World, ann: User) -> None:
        put(world, "A", "cat@uni-a.example")
        release(world, "A")

        assert put(world, "A", "cat@uni-a.example").word == "enrolled"
        assert opened(world, "A") not in (None, ann)
        assert Learner.objects.get(user=ann).problem_code == ""

    def test_the_same_person_after_support_has_settled_it(self, world: World, ann: User) -> None:
        put(world, "A", "new@uni-a.example")
        assert api.settle_conflict(learner_ids=[Learner.objects.get().pk], origin=STAFF) == 1

        assert put(world, "A", "new@uni-a.example").word == "enrolled"
        assert opened(world, "A") == ann
        assert Learner.objects.get().email == "new@uni-a.example"

    @pytest.mark.parametrize("status", ["enrolled", "pending", "suspended"])
    def test_present_in_another_program_it_is_the_same_person(self, status: str, world: World, ann: User) -> None:
        other = CurriculumFactory(program__school=world.school).program
        world.write_program(("A", status), program=other)

        assert put(world, "A", "new@uni-a.example").word == "enrolled"
        assert Learner.objects.get().email == "new@uni-a.example"

    def test_a_first_address_and_an_unlinked_learner_are_no_question(self, world: World) -> None:
        world.write_program(("A", "ended"))
        assert put(world, "A", "a@uni-a.example").word == "enrolled"
        world.write_program(("A", "ended"))
        assert put(world, "A", "b@uni-a.example").word == "enrolled"


class TestWhoMayChangeAnIdentity:
    """A client of one program must not hand another program's learner to somebody (contract, Access)."""

    @pytest.mark.parametrize("course", [False, True])
    def test_the_status_is_written_and_the_identity_is_not(self, course: bool, world: World) -> None:
        other = CurriculumFactory(program__school=world.school).program
        world.write_program(("A", "enrolled"), program=other)
        world.write_program(("A", "pending"))
        mine = api.Reach(program_ids=frozenset({world.program.pk}))

        if course:
            row = CourseEnrollmentRequest("A", "A", "mallory@uni-a.example", "active")
            (outcome,) = api.write_course_enrollments(
                program=world.program,
                course_run=world.course_run,
                rows=[row],
                verb=Verb.UPSERT,
                origin=ORIGIN,
                identity_reach=lambda: mine,
            )
        else:
            outcome = put(world, "A", "mallory@uni-a.example", identity_reach=lambda: mine)

        assert outcome.good
        assert "not changed" in outcome.detail
        assert Learner.objects.get().email == ""
        mallory = UserFactory()
        world.confirm_email(mallory, "mallory@uni-a.example")
        assert not ProgramEnrollment.objects.exists()

    def test_in_ones_own_programs_it_is_written(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        outcome = put(
            world, "A", "a@uni-a.example", identity_reach=lambda: api.Reach(program_ids=frozenset({world.program.pk}))
        )
        assert (outcome.good, outcome.detail) == (True, "")
        assert Learner.objects.get().email == "a@uni-a.example"


class TestPseudonymsOfTheRetired:
    def test_can_be_neither_enrolled_nor_signed_on_with(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        world.sign_on("A")
        api.retire_learners(persons=api.Persons(learner_ids=[Learner.objects.get().pk]), origin=STAFF)
        pseudonym = Learner.objects.get().student_key

        assert world.write_program((pseudonym, "enrolled")) == {pseudonym: "invalid-identity"}
        user = world.sign_on(pseudonym)
        assert not Learner.objects.filter(user=user).exists()
        assert api.sweep().is_clean
