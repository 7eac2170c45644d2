from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import Disclosure, Invitation, KeptAnswer, MetadataRequest, SeenAssertion
from tests.factories.enrollment import LearnerFactory, ProgramFactory, SchoolFactory
from tests.factories.host import UserFactory

HOUR = timedelta(hours=1)


def see(count: int, *, expires_in: timedelta, prefix: str) -> None:
    expires_at = timezone.now() + expires_in
    SeenAssertion.objects.bulk_create(
        SeenAssertion(digest=f"{prefix}{number:060}", expires_at=expires_at) for number in range(count)
    )


def keep(count: int, *, expires_in: timedelta, prefix: str, status: int | None = 200) -> None:
    user, now = UserFactory(), timezone.now()
    KeptAnswer.objects.bulk_create(
        KeptAnswer(
            user=user,
            key=f"{prefix}{number}",
            fingerprint="0" * 64,
            started_at=now + expires_in - 24 * HOUR,
            expires_at=now + expires_in,
            status=status,
            content=b"S-1",
        )
        for number in range(count)
    )


def forget(**options: Any) -> str:
    out = StringIO()
    call_command("forget_expired", stdout=out, **options)
    return out.getvalue()


def counted(first: str) -> str:
    return f"Forgotten: {first}, files 0, outcomes 0, links 0, webhook messages 0, looks at personal data 0, mails 0.\n"


@pytest.mark.django_db
class TestWhatHasExpired:
    def test_is_deleted_and_the_rest_stays(self) -> None:
        see(3, expires_in=-HOUR, prefix="old")
        see(2, expires_in=HOUR, prefix="new")
        keep(4, expires_in=-HOUR, prefix="old")
        keep(1, expires_in=HOUR, prefix="new")

        out = forget()

        assert out == counted("assertions 3, kept answers 4")
        assert SeenAssertion.objects.count() == 2
        assert KeptAnswer.objects.get().key == "new0"

    def test_includes_answers_that_never_came(self) -> None:
        keep(1, expires_in=-HOUR, prefix="died", status=None)

        assert forget() == counted("assertions 0, kept answers 1")

    def test_is_nothing_the_second_time(self) -> None:
        see(1, expires_in=-HOUR, prefix="old")
        forget()

        assert forget() == counted("assertions 0, kept answers 0")

    def test_is_not_reported_if_nobody_wants_to_know(self) -> None:
        assert forget(verbosity=0) == ""

    def test_goes_in_batches_however_much_it_is(self, django_assert_max_num_queries: Any) -> None:
        """One statement for all would hold its locks, on every database, for as long as it takes."""
        see(2_500, expires_in=-HOUR, prefix="old")
        keep(250, expires_in=-HOUR, prefix="old")

        with django_assert_max_num_queries(60) as captured:
            forgotten = api.forget_expired(now=timezone.now())

        assert (forgotten.assertions, forgotten.answers) == (2_500, 250)
        assert not SeenAssertion.objects.exists()
        assert not KeptAnswer.objects.exists()
        deletes = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("DELETE")]
        assert len(deletes) >= 3 + 3


@pytest.mark.django_db
def test_a_sign_on_clears_away_one_batch_at_most() -> None:
    see(2_500, expires_in=-HOUR, prefix="old")

    assert api.forget_expired_assertions(now=timezone.now()) == 1_000


@pytest.mark.django_db
def test_links_are_forgotten_a_month_after_they_ended() -> None:
    school, now = SchoolFactory(), timezone.now()
    for days, sent_at in ((31, None), (29, None), (31, now)):
        ended = now - timedelta(days=days)
        MetadataRequest.objects.create(
            school=school,
            email="idp@uni.example",
            digest=f"{days}{sent_at}"[:64],
            requested_by_id=1,
            requested_at=ended,
            expires_at=ended,
            sent_at=sent_at,
            **({"entity_id": "x", "sso_url": "https://x", "signing_certificates": "x"} if sent_at else {}),
        )
        Invitation.objects.create(
            school=school,
            email="kim@uni.example",
            permissions=[],
            digest=f"{days}{sent_at}"[:64],
            invited_by_id=1,
            invited_at=ended,
            expires_at=ended,
        )

    assert api.forget_expired(now=now).links == 3

    assert Invitation.objects.count() == 1
    drafts = MetadataRequest.objects.filter(sent_at__isnull=False)
    assert (MetadataRequest.objects.count(), drafts.count()) == (2, 1), "a draft that waits for a person is kept"


def look(program: Any, *, days_ago: int, learner_id: int | None = None) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    api.record_disclosure(user_id=1, program=program, page="learner", rows=1, learner_id=learner_id, now=at)


@pytest.mark.django_db
class TestLooksAtPersonalData:
    def test_are_deleted_after_two_years(self) -> None:
        program = ProgramFactory()
        for days_ago in (800, 731, 729, 0):
            look(program, days_ago=days_ago)

        assert api.forget_expired(now=timezone.now()).disclosures == 2
        assert Disclosure.objects.count() == 2

    def test_are_deleted_in_batches(self) -> None:
        program, at = ProgramFactory(), timezone.now() - timedelta(days=800)
        Disclosure.objects.bulk_create(
            Disclosure(school_id=program.school_id, program=program, at=at, user_id=1, page="learner", rows=1)
            for _ in range(1_001)
        )

        assert api.forget_expired(now=timezone.now()).disclosures == 1_001

    def test_are_kept_forever_if_the_operator_says_so(self, settings: Any) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "KEEP_DISCLOSURES_DAYS": None}
        look(ProgramFactory(), days_ago=10_000)

        assert api.forget_expired(now=timezone.now()).disclosures == 0

    def test_no_longer_say_at_whom_once_the_person_is_retired(self) -> None:
        program = ProgramFactory()
        retired, other = (LearnerFactory(school=program.school) for _ in range(2))
        for learner in (retired, other):
            look(program, days_ago=1, learner_id=learner.pk)

        origin = Origin(source=Source.COMMAND.value)
        api.retire_learners(persons=api.Persons(learner_ids=[retired.pk]), origin=origin)

        assert list(Disclosure.objects.order_by("pk").values_list("learner_id", flat=True)) == [None, other.pk]
