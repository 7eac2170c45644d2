"""The first page: a card per program, and what needs attention."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from program_enrollments import api
from program_enrollments.api.reads import summaries
from program_enrollments.data import JobKind, JobMode, Permission, ProgramStatus
from program_enrollments.models import (
    IdentityProvider,
    Job,
    Learner,
    PreemptiveProgramEnrollment,
    ProgramSummary,
    SamlConfiguration,
    School,
)
from tests.api.feeds.conftest import feed_storage
from tests.console.conftest import Desk, administrator, enroll, keep_rekeys
from tests.factories.enrollment import (
    IdentityProviderFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
    act_for_all_schools,
)
from tests.factories.host import StaffUserFactory, UserFactory
from tests.rest_api.callers import Campus, make_campus

__all__ = ["feed_storage"]


def figures(desk: Desk) -> list[str]:
    return [str(text) for text in desk.open("home").tree.xpath('//*[@class="pe-figures"]//dd//text()') if text.strip()]


def test_somebody_without_grants_reads_whom_to_ask(db: None) -> None:
    desk = Desk(StaffUserFactory(username="sam"))

    page = desk.open("home")

    assert page.status == 200
    assert "You administer no program yet" in page.text
    assert "Nobody has given the account sam access" in page.text


def test_who_is_not_signed_in_is_sent_to_sign_in(campus: Campus) -> None:
    response = Client().get(f"/console/programs/{campus.program.uuid}/learners/?status=ended")

    assert response.status_code == 302
    assert response["Location"] == (
        f"/accounts/sign-in/?next=/console/programs/{campus.program.uuid}/learners/%3Fstatus%3Dended"
    )


def test_a_card_counts_who_is_in_and_who_waits(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1", "S-2")
    enroll(campus, "S-3", status="canceled")
    ProgramEnrollmentFactory(curriculum=campus.curriculum)

    assert figures(registrar) == ["3", "2", "0"]


def test_long_waits_are_normal_at_a_school_for_practice(registrar: Desk, campus: Campus) -> None:
    School.objects.filter(pk=campus.school.pk).update(is_sandbox=True)
    enroll(campus, "S-1")
    PreemptiveProgramEnrollment.objects.update(created=timezone.now() - timedelta(days=15))

    page = registrar.open("home")

    assert "Needs attention" not in page.text
    assert "for practice" in page.text


def test_what_needs_a_person_stands_first(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    PreemptiveProgramEnrollment.objects.update(created=timezone.now() - timedelta(days=15))
    conflict = LinkedLearnerFactory(school=campus.school)
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=conflict)
    Learner.objects.filter(pk=conflict.pk).update(problem_code="conflict")
    refused = LinkedLearnerFactory(school=campus.school)
    ProgramEnrollmentFactory(curriculum=campus.curriculum, learner=refused)
    PreemptiveCourseEnrollmentFactory(
        program=campus.program, course_run=campus.course_run, learner=refused, problem_code="host_refused", refusals=5
    )

    text = registrar.open("home").text

    assert "Two accounts claim 1 learner." in text
    assert "The platform refused a seat to 1 learner." in text
    assert "1 learner has waited for an account for more than two weeks." in text
    assert figures(registrar)[2] == "2"


def test_a_certificate_that_ends_soon_is_told(registrar: Desk, campus: Campus, universities_certificate: str) -> None:
    provider: IdentityProvider = IdentityProviderFactory(school=campus.school, name="Sign-in of A")
    SamlConfiguration.objects.create(
        identity_provider=provider,
        entity_id="https://idp.example",
        sso_url="https://idp.example/sso",
        signing_certificates=universities_certificate,
        id_attribute="uid",
    )

    assert "The last signing certificate of “Sign-in of A” ends soon." in registrar.open("home").text
    assert "Ask your identity provider's administrator" in registrar.open("sign-in", campus.school.key).text


def test_only_what_somebody_may_see_is_there(campus: Campus) -> None:
    enroll(campus, "S-1")
    other = ProgramFactory(school=campus.school)
    desk = administrator(Permission.METADATA, campus=campus, everywhere=False)

    page = desk.open("home")

    assert campus.program.title in page.text
    assert other.title not in page.text
    assert "You may see this program's courses, but not its learners." in page.text
    assert figures(desk) == []


def test_who_acts_for_all_schools_sees_all(campus: Campus) -> None:
    other = make_campus("uni-b")
    desk = Desk(act_for_all_schools(UserFactory()))

    text = desk.open("home").text

    assert campus.program.title in text
    assert other.program.title in text


class TestCountsOfLargePrograms:
    """They are kept for ten minutes; those of small ones are always new."""

    @pytest.fixture(autouse=True)
    def _everything_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(summaries, "SMALL", -1)

    def test_they_are_kept(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")
        assert figures(registrar)[0] == "1"
        enroll(campus, "S-2")

        assert figures(registrar)[0] == "1"
        ProgramSummary.objects.update(counted_at=timezone.now() - summaries.KEPT)
        assert figures(registrar)[0] == "2"

    def test_they_say_how_old_they_are(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")
        assert "Counted" not in registrar.open("home").text
        ProgramSummary.objects.update(counted_at=timezone.now() - timedelta(minutes=4))

        assert "Counted 4\xa0minutes ago." in registrar.open("home").content

    def test_counts_from_the_future_are_not_believed(self, registrar: Desk, campus: Campus) -> None:
        enroll(campus, "S-1")
        figures(registrar)
        enroll(campus, "S-2")
        ProgramSummary.objects.update(counted_at=timezone.now() + timedelta(days=1))

        assert figures(registrar)[0] == "2"


def test_changes_are_counted_by_week(campus: Campus) -> None:
    now = timezone.now()
    enroll(campus, "S-1", "S-2")
    access = api.access_of(user=act_for_all_schools(UserFactory()))

    def weeks(moment: Any) -> tuple[int, ...]:
        (card,) = api.fetch_overview(access=access, now=moment, cursor=None, page_size=10).cards
        assert card.counts is not None
        return card.counts.weeks

    assert weeks(now + timedelta(seconds=1)) == (0,) * 11 + (2,)
    assert weeks(now + timedelta(weeks=3, seconds=1)) == (0,) * 8 + (2, 0, 0, 0)
    assert weeks(now + timedelta(weeks=13)) == (0,) * 12


class TestWhatWaitsForFiles:
    """Feeds that are late, and files of student IDs that are stuck."""

    @pytest.fixture(autouse=True)
    def late_feed(self, campus: Campus, feed_storage: Callable[..., Path]) -> None:
        feed_storage()
        plan = api.FeedPlan(
            program_uuid=campus.program.uuid,
            kind=JobKind.PROGRAM_ENROLLMENTS,
            mode=JobMode.UPSERT,
            leaving_status=ProgramStatus.CANCELED,
            cascade=True,
            folder="",
            pattern="mds-*.csv",
            expected_days=frozenset(range(1, 8)),
            expected_at=time(4, 30),
        )
        week_ago = timezone.now() - timedelta(days=7)
        access = api.access_of(user=UserFactory())
        api.add_feed(access=access, school=campus.school, plan=plan, now=week_ago)

    def attention(self, desk: Desk) -> list[tuple[str, str]]:
        return [
            (" ".join(link.text_content().split()), link.get("href"))
            for link in desk.open("home").tree.xpath('//section[@aria-labelledby="attention"]//a')
        ]

    def test_a_late_feed_is_said_to_who_manages_feeds_or_sends_files(self, campus: Campus) -> None:
        manager = administrator(Permission.MANAGE_SCHOOL, campus=campus)
        editor = administrator(Permission.WRITE_ENROLLMENTS, campus=campus)
        viewer = administrator(Permission.READ_ENROLLMENTS, campus=campus)
        ((text, url),) = self.attention(manager)
        assert text.startswith(f"No file has come to {campus.school.key}/mds-*.csv; it was expected until")
        assert url == f"/console/schools/{campus.school.key}/feeds/"
        assert [url for _, url in self.attention(editor)] == [f"/console/programs/{campus.program.uuid}/files/send/"]
        assert self.attention(viewer) == []
        assert self.attention(administrator(Permission.MANAGE_SCHOOL, campus=make_campus("uni-b"))) == []

    def test_student_ids_that_are_stuck_are_said_to_who_may_change_them(self, campus: Campus) -> None:
        enroll(campus, "S-1")
        job = keep_rekeys(campus, "S-1,T-1")
        Job.objects.filter(pk=job.pk).update(state="failed", finished=timezone.now())
        registrar = administrator(Permission.WRITE_ENROLLMENTS, campus=campus)
        found = {url: text for text, url in self.attention(registrar)}
        assert "has failed" in found[f"/console/schools/{campus.school.key}/student-keys/files/{job.pk}/"]
        manager = administrator(Permission.MANAGE_SCHOOL, campus=campus)
        assert len(self.attention(manager)) == 1
