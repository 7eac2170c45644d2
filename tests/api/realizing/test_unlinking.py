"""A learner who was unlinked: which evidence links again, and which becomes a conflict."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.data import (
    ChangeKind,
    LearnerProblem,
    LinkHow,
    LinkState,
)
from program_enrollments.exceptions import LinkRefused
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    LinkClaim,
)
from tests.api.conftest import World
from tests.api.steps import STAFF, opened, put
from tests.factories.enrollment import (
    IdentityProviderFactory,
    LearnerFactory,
    LinkedLearnerFactory,
)
from tests.factories.host import UserFactory


class TestUnlinking:
    def test_the_same_evidence_does_not_link_again(self, world: World) -> None:
        world.write_program(("A", "enrolled"))
        ann = world.sign_on("A")
        learner = Learner.objects.get()
        api.unlink_learner(learner_id=learner.pk, origin=STAFF)

        assert not UserSocialAuth.objects.exists(), "the account signs on as this student no more"
        world.sign_on("A", user=ann)
        learner.refresh_from_db()
        assert (learner.user, learner.link_state) == (None, LinkState.CONFLICT)
        claim = LinkClaim.objects.get()
        assert claim.user == ann
        assert (claim.how, claim.is_open, claim.is_dismissed) == (LinkHow.SSO, True, True)

        api.settle_conflict(learner_ids=[learner.pk], origin=STAFF)
        assert api.sweep().is_clean
        learner.refresh_from_db()
        assert (learner.user, learner.problem_code) == (None, "")
        assert opened(world, "A") not in (None, ann), "the university's word makes an account of its own"

    def test_weaker_evidence_than_there_was_is_a_conflict(self, world: World) -> None:
        put(world, "A", "a@uni-a.example")
        world.sign_on("A")
        learner = Learner.objects.get()
        api.unlink_learner(learner_id=learner.pk, origin=STAFF)
        other = UserFactory()

        world.confirm_email(other, "a@uni-a.example")

        learner.refresh_from_db()
        assert (learner.user, learner.link_state) == (None, LinkState.CONFLICT)
        entry = LedgerEntry.objects.get(kind=ChangeKind.CONFLICT)
        assert (entry.before, entry.after) == (None, f"email:{other.pk}")

    def test_also_after_the_account_was_deleted(self, world: World) -> None:
        put(world, "A", "a@uni-a.example")
        world.sign_on("A").delete()
        world.confirm_email(UserFactory(), "a@uni-a.example")
        assert Learner.objects.get().link_state == LinkState.CONFLICT

    def test_stronger_evidence_links(self, world: World) -> None:
        put(world, "A", "a@uni-a.example")
        user = UserFactory()
        world.confirm_email(user, "a@uni-a.example")
        learner = Learner.objects.get()
        api.unlink_learner(learner_id=learner.pk, origin=STAFF)
        world.confirm_email(user, "a@uni-a.example")
        learner.refresh_from_db()
        assert learner.user is None

        world.sign_on("A", user=user)

        learner = Learner.objects.get()
        assert learner.user == user
        assert learner.link_how == LinkHow.SSO

    def test_after_settling_only_a_new_claim_brings_the_conflict_back(self, world: World) -> None:
        IdentityProviderFactory(slug="uni-a-new", school=world.school)
        world.write_program(("A", "enrolled"))
        world.sign_on("A")
        other = world.sign_on("A", slug="uni-a-new")
        learner = Learner.objects.get()
        entry = LedgerEntry.objects.get(kind=ChangeKind.CONFLICT)
        assert (entry.before, entry.after) == (f"sso:{learner.user_id}", f"sso:{other.pk}")

        api.settle_conflict(learner_ids=[learner.pk], origin=STAFF)
        api.sweep()
        learner.refresh_from_db()
        assert learner.problem_code == ""

        world.sign_on("A", user=other, slug="uni-a-new")
        learner.refresh_from_db()
        assert learner.problem_code == LearnerProblem.CONFLICT

    def test_staff_who_link_at_once_hear_of_each_other(self, world: World) -> None:
        learner = LearnerFactory(school=world.school, student_key="A")
        one, other = UserFactory(), UserFactory()
        api.link_learner(learner_id=learner.pk, user_id=one.pk, origin=STAFF)
        second = LearnerFactory(school=world.school, student_key="B")
        with pytest.raises(LinkRefused, match="already is another learner"):
            api.link_learner(learner_id=second.pk, user_id=one.pk, origin=STAFF)
        api.link_learner(learner_id=second.pk, user_id=other.pk, origin=STAFF)
        assert Learner.objects.filter(user__in=[one, other]).count() == 2


def test_a_linked_learner_needs_a_how_and_the_reverse(world: World) -> None:
    learner = LinkedLearnerFactory(school=world.school)
    for change in ({"user": None}, {"link_how": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Learner.objects.filter(pk=learner.pk).update(**change)
