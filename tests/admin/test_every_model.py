"""Every table has its pages, they cost the same however long they are, and they can be read by everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.utils import timezone

from program_enrollments.admin import large_tables
from program_enrollments.data import ChangeKind, Source
from program_enrollments.models import (
    AccessChange,
    Contact,
    CourseRun,
    Curriculum,
    Disclosure,
    Feed,
    FeedFile,
    FeedHoliday,
    FeedLook,
    FrozenGrade,
    GradeAcknowledgement,
    GradeBook,
    GradeFreeze,
    Grant,
    Invitation,
    Job,
    JobRow,
    KeptAnswer,
    KeptEnrollment,
    Learner,
    LedgerEntry,
    LedgerPosition,
    Mail,
    MetadataRequest,
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    Program,
    ProgramCourseEnrollment,
    ProgramEnrollment,
    School,
    SettingChange,
    WebhookEndpoint,
    WebhookMessage,
)
from tests.admin.conftest import APP, Desk, url_of
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    GrantFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
    ProgramFactory,
    SchoolFactory,
)
from tests.factories.host import UserFactory

READ_ONLY = [FrozenGrade, GradeBook, GradeFreeze, Job, JobRow, KeptAnswer, LedgerEntry, LedgerPosition]
ENROLLMENTS = [ProgramEnrollment, ProgramCourseEnrollment, PreemptiveProgramEnrollment, PreemptiveCourseEnrollment]
ON_OTHERS_PAGES = {
    "SchoolEmailDomain",
    "CurriculumCourseRun",
    "IdentityProvider",
    "LinkClaim",
    "SamlConfiguration",
    "ProposedMetadata",
}
NEVER_SHOWN = {
    "SeenAssertion",
    "KeptProgress",
    "StagedRow",
    "ProgramSummary",
    "WebhookPosition",
}  # of use to nobody: digests, scratch


def make_entry() -> LedgerEntry:
    learner, course_run = LinkedLearnerFactory(), CourseRunFactory()
    program = ProgramFactory(school=learner.school)
    return LedgerEntry.objects.create(
        program=program,
        position=1,
        at=timezone.now(),
        learner=learner,
        student_key=learner.student_key,
        course_run=course_run,
        kind=ChangeKind.COURSE_ENROLLMENT,
        after="active",
        actor_id=UserFactory().pk,
        source=Source.API,
    )


def make_freeze() -> GradeFreeze:
    book = GradeBook.objects.create(program=ProgramFactory(), course_run=CourseRunFactory())
    return GradeFreeze.objects.create(
        book=book, version=1, frozen_at=timezone.now(), reason="End of term", count=1, digest="0" * 64
    )


def make_frozen_grade() -> FrozenGrade:
    return FrozenGrade.objects.create(
        freeze=make_freeze(), position=1, learner=LearnerFactory(), student_key="S-1", percent="0.5", passed=True
    )


def make_answer() -> KeptAnswer:
    now = timezone.now()
    return KeptAnswer.objects.create(
        user=UserFactory(), key="key", school=SchoolFactory(), fingerprint="0" * 64, started_at=now, expires_at=now
    )


def make_job() -> Job:
    program = ProgramFactory()
    return Job.objects.create(program=program, school=program.school, kind="program_enrollments", mode="upsert")


def make_job_row() -> JobRow:
    return JobRow.objects.create(job=make_job(), place=2, line=2, student_key="S-1", word="enrolled")


def make_kept_enrollment() -> KeptEnrollment:
    learner = LearnerFactory()
    program = ProgramFactory(school=learner.school)
    return KeptEnrollment.objects.create(learner=learner, program=program, by="support", reason="Appeal pending")


def make_disclosure() -> Disclosure:
    program = ProgramFactory()
    return Disclosure.objects.create(
        school=program.school, program=program, at=timezone.now(), user_id=1, page="learners", rows=3
    )


def make_invitation() -> Invitation:
    return Invitation.objects.create(
        school=SchoolFactory(),
        email="kim@uni.example",
        permissions=["metadata"],
        digest=uuid4().hex,
        invited_by_id=1,
        invited_at=timezone.now(),
        expires_at=timezone.now(),
    )


def make_metadata_request() -> MetadataRequest:
    return MetadataRequest.objects.create(
        school=SchoolFactory(),
        email="kim@uni.example",
        digest=uuid4().hex,
        requested_by_id=1,
        requested_at=timezone.now(),
        expires_at=timezone.now(),
    )


def make_access_change() -> AccessChange:
    return AccessChange.objects.create(
        school=SchoolFactory(), at=timezone.now(), actor_id=1, user_id=2, given=["metadata"]
    )


def make_setting_change() -> SettingChange:
    return SettingChange.objects.create(school=SchoolFactory(), at=timezone.now(), kind="endpoint_off")


def make_acknowledgement() -> GradeAcknowledgement:
    return GradeAcknowledgement.objects.create(
        grade=make_frozen_grade(), state="recorded", acknowledged_at=timezone.now(), acknowledged_by="sis"
    )


def make_endpoint() -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        school=SchoolFactory(), url="https://sis.example.edu/hooks", secret="whsec_x", created_at=timezone.now()
    )


def make_message() -> WebhookMessage:
    now = timezone.now()
    return WebhookMessage.objects.create(
        endpoint=make_endpoint(), key=f"msg_{now.timestamp()}", event="webhook.test", created_at=now, due_at=now
    )


def make_feed() -> Feed:
    now, program = timezone.now(), ProgramFactory()
    return Feed.objects.create(
        school=program.school,
        program=program,
        kind="program_enrollments",
        mode="upsert",
        pattern="*.csv",
        expected_at=time(6),
        expected_since=now,
        changed_at=now,
    )


def make_feed_file() -> FeedFile:
    now, feed = timezone.now(), make_feed()
    path = f"{feed.school.key}/nightly.csv"
    return FeedFile.objects.create(feed=feed, path=path, size=1, modified_at=now, seen_at=now)


def make_holiday() -> FeedHoliday:
    today = timezone.now().date()
    return FeedHoliday.objects.create(school=SchoolFactory(), first_day=today, last_day=today)


def make_contact() -> Contact:
    return Contact.objects.create(school=SchoolFactory(), email="office@uni.example", created_at=timezone.now())


def make_mail() -> Mail:
    now, contact = timezone.now(), make_contact()
    return Mail.objects.create(
        school=contact.school,
        contact=contact,
        recipient=f"contact:{contact.pk}",
        kind="job.held",
        key="job.held:1",
        created_at=now,
        due_at=now,
    )


MAKERS: dict[type[Model], Callable[[], Any]] = {
    AccessChange: make_access_change,
    Contact: make_contact,
    CourseRun: CourseRunFactory,
    Curriculum: CurriculumFactory,
    Disclosure: make_disclosure,
    Feed: make_feed,
    FeedFile: make_feed_file,
    FeedHoliday: make_holiday,
    FeedLook: lambda: FeedLook.objects.create(school=SchoolFactory()),
    FrozenGrade: make_frozen_grade,
    GradeAcknowledgement: make_acknowledgement,
    GradeBook: lambda: make_freeze().book,
    GradeFreeze: make_freeze,
    Grant: GrantFactory,
    Job: make_job,
    JobRow: make_job_row,
    Invitation: make_invitation,
    KeptAnswer: make_answer,
    KeptEnrollment: make_kept_enrollment,
    Learner: LinkedLearnerFactory,
    LedgerEntry: make_entry,
    LedgerPosition: lambda: LedgerPosition.objects.create(program_id=ProgramFactory().pk, last_position=1),
    Mail: make_mail,
    SettingChange: make_setting_change,
    MetadataRequest: make_metadata_request,
    PreemptiveCourseEnrollment: PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollment: PreemptiveProgramEnrollmentFactory,
    Program: ProgramFactory,
    ProgramCourseEnrollment: ProgramCourseEnrollmentFactory,
    ProgramEnrollment: ProgramEnrollmentFactory,
    School: SchoolFactory,
    WebhookEndpoint: make_endpoint,
    WebhookMessage: make_message,
}
by_model = pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.__name__)


def test_every_model_is_in_admin() -> None:
    models = {
        model for model in apps.get_app_config(APP).get_models() if model.__name__ not in ON_OTHERS_PAGES | NEVER_SHOWN
    }

    assert {model.__name__ for model in models - admin.site._registry.keys()} == set()


@by_model
def test_a_list_costs_the_same_for_5_rows_and_15(model: type[Model], desk: Desk) -> None:
    for _ in range(5):
        MAKERS[model]()
    desk.get(url_of(model))  # what Django looks up once a process
    few = desk.statements(url_of(model))
    for _ in range(10):
        MAKERS[model]()

    assert len(desk.get(url_of(model)).rows()) == 15
    assert desk.statements(url_of(model)) == few


@by_model
def test_a_row_has_its_page_with_a_name_for_every_control(model: type[Model], desk: Desk) -> None:
    page = desk.get(url_of(model, "change", MAKERS[model]().pk))

    assert page.status == 200
    assert page.tree.get("lang")
    assert len(page.tree.xpath("//h1")) == 1
    assert unnamed_controls(page.tree) == []


def unnamed_controls(tree: Any) -> list[str]:
    controls = tree.xpath(
        '//form//*[self::textarea or self::select or self::input[not(@type="hidden") and not(@type="submit")]]'
    )
    # The empty row of an inline form is a template for the browser's script, not a control.
    visible = [control for control in controls if "__prefix__" not in control.get("name", "")]
    return [
        control.get("name")
        for control in visible
        if not (
            control.get("aria-label")
            or control.get("aria-labelledby")
            or control.xpath("ancestor::label")
            or tree.xpath(f'//label[@for="{control.get("id")}"]')
        )
    ]


@pytest.mark.parametrize("model", [*READ_ONLY, *ENROLLMENTS, Learner], ids=lambda model: model.__name__)
def test_what_the_app_alone_writes_cannot_be_added_edited_or_deleted(model: type[Model], desk: Desk) -> None:
    row = MAKERS[model]()
    before = model._default_manager.values().get(pk=row.pk)

    assert desk.get(url_of(model, "add")).status == 403
    assert desk.get(url_of(model, "delete", row.pk)).status == 403
    assert desk.post(url_of(model, "delete", row.pk), post="yes").status == 403
    assert desk.post(url_of(model, "change", row.pk), status="ended", student_key="x", kind="x").status == 403
    page = desk.get(url_of(model, "change", row.pk))
    assert page.tree.xpath('//input[@name="_save"]') == []
    assert "delete_selected" not in desk.get(url_of(model)).text
    assert model._default_manager.values().get(pk=row.pk) == before


def test_a_long_list_counts_and_leads_only_so_far(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    LearnerFactory.create_batch(7)
    monkeypatch.setattr(large_tables, "MAX_LISTED", 5)

    text = " ".join(desk.get(url_of(Learner)).tree.xpath('string(//p[@class="paginator"])').split())

    assert text.startswith("the newest 5 of more learners")


def test_a_short_list_says_how_long_it_is(desk: Desk) -> None:
    LearnerFactory.create_batch(7)

    assert " ".join(desk.get(url_of(Learner)).tree.xpath('string(//p[@class="paginator"])').split()) == "7 learners"


@pytest.mark.parametrize("model", [Learner, *ENROLLMENTS, LedgerEntry], ids=lambda model: model.__name__)
@pytest.mark.parametrize("query", [{"o": "1"}, {"q": "' OR 1=1 --"}, {"q": "é" * 300}, {"p": "999"}, {"school": "x"}])
def test_odd_queries_never_break_a_list(model: type[Model], query: dict[str, str], desk: Desk) -> None:
    MAKERS[model]()

    assert desk.client.get(url_of(model), query, follow=True).status_code == 200
