"""Whose account a student ID opens, after every order of what can happen to it.

A school's IDs change hands by renaming, swapping, releasing and retiring; it moves to another identity provider; two
records are merged; staff unlink. Whatever came in which order: a person is signed on to an account of their own, or
refused, and never to somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import LinkHow, Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.models import IdentityProvider, Learner
from tests.api.conftest import World
from tests.factories.enrollment import IdentityProviderFactory
from tests.factories.host import UserFactory
from tests.invariants import find_violations

STAFF = Origin(source=Source.STAFF.value, reason="asked by phone")
HOWS = [LinkHow.SSO, LinkHow.EMAIL, LinkHow.STAFF]

pytestmark = pytest.mark.once


class Story:
    """Two students, Ann and Bob, who have accounts; a third, Cat, who will get an ID that was somebody's.

    `ids` says which ID the school gave whom, `own` which accounts are whose.
    """

    def __init__(self, world: World, how: str) -> None:
        self.world = world
        self.ids = {"A": "ann", "B": "bob"}
        self.own: dict[str, set[int]] = {"ann": set(), "bob": set(), "cat": set()}
        self.unlinked: set[int] = set()
        self.slug = world.provider.slug
        world.write_program(("A", "enrolled"), ("B", "enrolled"))
        for key, person in self.ids.items():
            self.enter(key, person, how)

    def enter(self, key: str, person: str, how: str) -> None:
        user: User = UserFactory(username=person)
        self.own[person].add(user.pk)
        if how == LinkHow.SSO:
            self.world.sign_on(key, user=user)
            return
        learner = self.learner(key)
        if how == LinkHow.STAFF:
            api.link_learner(learner_id=learner.pk, user_id=user.pk, origin=STAFF)
            return
        address = f"{person}@uni-a.example"
        row = ProgramEnrollmentRequest(key, key, address, "enrolled")
        api.write_program_enrollments(program=self.world.program, rows=[row], verb=Verb.UPSERT, origin=STAFF)
        self.world.confirm_email(user, address)

    def learner(self, key: str) -> Learner:
        return Learner.objects.get(school=self.world.school, student_key_normalized=key.lower())

    def key_of(self, person: str) -> str | None:
        return next((key for key, holder in self.ids.items() if holder == person), None)

    def rename(self, old: str, new: str) -> None:
        words = api.rename_students(
            provider=IdentityProvider.objects.get(slug=self.slug),
            renamings=[api.Renaming(old, new)],
            origin=STAFF,
        )
        assert words == [api.Renamed.RENAMED]
        self.ids[new] = self.ids.pop(old)

    # What can happen.

    def ann_is_renamed(self) -> None:
        if (key := self.key_of("ann")) is not None:
            self.rename(key, f"{key}2")

    def ann_and_bob_swap(self) -> None:
        ann, bob = self.key_of("ann"), self.key_of("bob")
        if ann is None or bob is None:
            return
        self.rename(ann, "X")
        self.rename(bob, ann)
        self.rename("X", bob)

    def anns_id_is_given_to_cat(self) -> None:
        if (key := self.key_of("ann")) is None or self.key_of("cat") is not None:
            return
        words = api.release_student_keys(school=self.world.school, student_keys=[key], origin=STAFF)
        assert words == [api.Released.RELEASED]
        self.ids[key] = "cat"
        assert self.world.write_program((key, "enrolled")) == {key: "enrolled"}

    def the_school_moves(self) -> None:
        if self.slug == "uni-a":
            IdentityProviderFactory(slug="uni-a-new", school=self.world.school)
            IdentityProvider.objects.filter(slug="uni-a").update(is_enabled=False)
            self.slug = "uni-a-new"

    def ann_turns_out_to_be_known_by_address_too(self) -> None:
        learner = next((each for each in Learner.objects.filter(user_id__in=self.own["ann"])), None)
        if learner is None or learner.user_id is None or learner.email:
            return
        self.world.write_program(("ann.private@uni-a.example", "pending"))
        self.world.confirm_email(User.objects.get(pk=learner.user_id), "ann.private@uni-a.example")

    def staff_unlink_ann(self) -> None:
        for learner in Learner.objects.filter(user_id__in=self.own["ann"]):
            api.unlink_learner(learner_id=learner.pk, origin=STAFF)
        self.unlinked |= self.own["ann"]
        # Staff found that the account is not hers.
        self.own["ann"] = set()

    def bob_is_retired(self) -> None:
        if (key := self.key_of("bob")) is None:
            return
        report = api.retire_learners(persons=api.Persons(learner_ids=[self.learner(key).pk]), origin=STAFF)
        assert report.is_complete
        del self.ids[key]
        # His account is his own, but nothing here says so any more.
        self.own["bob"] = set()


EVENTS: list[Callable[[Story], None]] = [
    Story.ann_is_renamed,
    Story.ann_and_bob_swap,
    Story.anns_id_is_given_to_cat,
    Story.the_school_moves,
    Story.ann_turns_out_to_be_known_by_address_too,
    Story.staff_unlink_ann,
    Story.bob_is_retired,
]


def sign_on(story: Story, key: str) -> User | None:
    """Sign on as the holder of an ID; None where an account is offered first, or it is refused in words."""
    identity = api.AssertedIdentity(school_id=story.world.school.pk, slug=story.slug, remote_id=key)
    with story.world.run_callbacks(execute=True):
        try:
            opened = api.open_account(backend="tpa-saml", identity=identity, assertion=None, now=timezone.now())
        except SignOnRefused:
            return None
    return opened.user if opened is not None else None


# Three events in every order take a while: by the evidence that decides most, and in the long run only.
@pytest.mark.parametrize(
    ("how", "count"),
    [
        *((how, count) for how in HOWS for count in (1, 2)),
        pytest.param(LinkHow.SSO, 3, marks=pytest.mark.long),
    ],
)
def test_an_account_is_opened_for_its_owner_only(how: str, count: int, world: World) -> None:
    for events in permutations(EVENTS, count):
        with transaction.atomic():
            told = " → ".join(event.__name__ for event in events)
            story = Story(world, how)
            for event in events:
                event(story)
            with world.run_callbacks(execute=True):
                api.sweep()
            for key, person in story.ids.items():
                user = sign_on(story, key)
                if user is None:
                    continue
                everybody = {pk for other, own in story.own.items() if other != person for pk in own} | story.unlinked
                assert user.pk not in everybody, f"{told}: {key}, held by {person}, opens {user.username}"
                story.own[person].add(user.pk)
                assert sign_on(story, key) == user, f"{told}: {key} opens another account the second time"
            if how == LinkHow.SSO and Story.staff_unlink_ann not in events:
                for person in story.ids.values():
                    names = set(User.objects.filter(pk__in=story.own[person]).values_list("username", flat=True))
                    assert person == "cat" or person in names
                    assert len(names) == 1, f"{told}: {person} has {names}"
            violations = [each for each in find_violations() if "signs on as" in each]
            assert violations == [], told
            transaction.set_rollback(True)
