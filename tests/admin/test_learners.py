"""Finding a learner, seeing what is wrong, and correcting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from demo_lms.models import CourseEnrollment
from demo_lms.models import CourseRun as HostCourseRun
from program_enrollments.data import LearnerProblem, LinkHow
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    PreemptiveCourseEnrollment,
    ProgramCourseEnrollment,
)
from tests.admin.conftest import Desk, last_entry, url_of
from tests.factories.enrollment import (
    CourseRunFactory,
    CurriculumFactory,
    IdentityProviderFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramFactory,
    SchoolFactory,
    UserSocialAuthFactory,
)
from tests.factories.host import ConfirmedUserFactory, UserFactory


def found(desk: Desk, text: str) -> set[str]:
    rows = desk.get(url_of(Learner), q=text).tree.xpath('//th[contains(@class,"field-key")]')
    return {row.text_content().strip() for row in rows}


def correct(desk: Desk, learner: Learner, correction: str, **data: str) -> Any:
    return desk.post(url_of(Learner, correction, learner.pk), **data)


def page_of(desk: Desk, learner: Learner) -> Any:
    return desk.get(url_of(Learner, "change", learner.pk))


def corrections_on(desk: Desk, learner: Learner) -> list[str]:
    links = page_of(desk, learner).tree.xpath('//ul[@class="object-tools"]//a')
    return [link.text_content() for link in links]


def refused_promise(learner: Learner, *, refusals: int, **kwargs: Any) -> PreemptiveCourseEnrollment:
    return PreemptiveCourseEnrollmentFactory(
        learner=learner,
        program=ProgramFactory(school=learner.school),
        problem_code="course_run_unknown",
        problem_detail="The learning platform has no course run with this key.",
        tries=refusals,
        refusals=refusals,
        last_tried=timezone.now(),
        **kwargs,
    )


@pytest.mark.parametrize("text", ["MÜ-0007", "mü-0007", "  Mü-0007 ", "mü-0", "Mu\N{COMBINING DIAERESIS}-0007", "MÜ"])
def test_finds_by_student_id_or_its_beginning_in_any_spelling(text: str, desk: Desk) -> None:
    LearnerFactory(student_key="Mü-0007")
    LearnerFactory(student_key="mu-0007")
    LearnerFactory(student_key="x-mü-0007")

    assert found(desk, text) == {"Mü-0007"}


def test_finds_the_same_student_id_at_every_school(desk: Desk) -> None:
    for _ in range(2):
        LearnerFactory(student_key="S-1")

    assert len(desk.get(url_of(Learner), q="s-1").rows()) == 2


@pytest.mark.parametrize("text", ["ann@uni.example", "ANN@", "ann", "ann_account", "ann@home.example"])
def test_finds_by_address_by_username_and_by_the_accounts_confirmed_address(text: str, desk: Desk) -> None:
    account = ConfirmedUserFactory(username="ann_account", email="Ann@Home.example")
    LinkedLearnerFactory(student_key="1", email="ann@uni.example", user=account)
    LearnerFactory(student_key="2", email="bob@uni.example")

    assert found(desk, text) == {"1"}


def test_finds_by_the_reference_number_of_a_disputed_sign_on(desk: Desk) -> None:
    learner = LearnerFactory(student_key="S-1")
    LearnerFactory(student_key="S-2")

    assert found(desk, f" #{learner.pk}") == {"S-1"}
    assert found(desk, str(learner.pk)) == set()
    assert found(desk, "#" + "9" * 18) == set()


@pytest.mark.parametrize("text", ["%", "_", "*", "s-%", "nobody", "\U0010ffff"])
def test_finds_nobody_by_what_merely_looks_like_a_pattern(text: str, desk: Desk) -> None:
    LearnerFactory(student_key="s-1")

    assert found(desk, text) == set()


def test_learners_who_need_a_person_are_a_filter_each_way_and_all_together(desk: Desk) -> None:
    LearnerFactory(student_key="well")
    LearnerFactory(student_key="torn", problem_code=LearnerProblem.CONFLICT)
    LearnerFactory(student_key="failed", problem_code=LearnerProblem.REALIZING_FAILED)
    refused_promise(LinkedLearnerFactory(student_key="refused"), refusals=5)
    refused_promise(LinkedLearnerFactory(student_key="tried again by itself"), refusals=4)
    refused_promise(LearnerFactory(student_key="unlinked since"), refusals=5)

    def chosen(value: str) -> set[str]:
        rows = desk.get(url_of(Learner), needs=value).tree.xpath('//th[contains(@class,"field-key")]')
        return {row.text_content() for row in rows}

    assert chosen("conflict") == {"torn"}
    assert chosen("realizing_failed") == {"failed"}
    assert chosen("refused") == {"refused"}
    assert chosen("any") == {"torn", "failed", "refused"}


def test_filters_by_school_and_account(desk: Desk) -> None:
    school = SchoolFactory()
    LearnerFactory(school=school, student_key="waits")
    LinkedLearnerFactory(school=school, student_key="linked")
    LinkedLearnerFactory(student_key="elsewhere")

    assert len(desk.get(url_of(Learner), school=str(school.pk)).rows()) == 2
    (row,) = desk.get(url_of(Learner), school=str(school.pk), account="linked").rows()
    assert "linked" in row


def test_a_learners_page_shows_everything_in_a_constant_number_of_statements(desk: Desk) -> None:
    learner = LinkedLearnerFactory(student_key="S-1", user__username="ann")
    url = url_of(Learner, "change", learner.pk)

    def enroll() -> None:
        curriculum = CurriculumFactory(program__school=learner.school)
        PreemptiveProgramEnrollmentFactory(curriculum=curriculum, learner=learner, status="pending")
        refused_promise(learner, refusals=5)
        LedgerEntry.objects.create(
            at=timezone.now(),
            learner=learner,
            student_key="S-1",
            kind="link",
            after="sso:1",
            source="api",
            reason="why",
        )

    enroll()
    desk.get(url)
    few = desk.statements(url)
    enroll()
    enroll()

    assert desk.statements(url) == few
    text = page_of(desk, learner).text
    for expected in ("ann", "pending", "waits for the platform", "has no course run", "Tried 5 times", "why"):
        assert expected in text
    assert "Not tried any more" in text


def test_a_learners_page_tells_what_the_learning_platform_has(desk: Desk) -> None:
    learner = LinkedLearnerFactory()
    enrollment = refused_promise(learner, refusals=1)
    CourseEnrollment.objects.create(
        user=learner.user,
        course_run=HostCourseRun.objects.get(course_id=enrollment.course_run.course_id),
        mode="verified",
        is_active=False,
    )

    assert "verified, inactive" in " ".join(page_of(desk, learner).text.split())


def test_only_what_makes_sense_is_offered(desk: Desk) -> None:
    assert corrections_on(desk, LearnerFactory()) == ["Link to an account", "Release the student ID", "Try again"]
    linked = LinkedLearnerFactory(problem_code=LearnerProblem.CONFLICT)
    assert corrections_on(desk, linked) == [
        "Link to an account",
        "Unlink from the account",
        "Settle the conflict",
        "Release the student ID",
        "Try again",
    ]
    assert corrections_on(desk, LearnerFactory(retired_at=timezone.now())) == []


def test_linking_makes_real_what_waits_and_records_who_did_it_and_why(desk: Desk) -> None:
    account = UserFactory(username="ann")
    course_run = CourseRunFactory()
    promise = PreemptiveCourseEnrollmentFactory(course_run=course_run)
    learner = promise.learner

    page = correct(desk, learner, "link", account="ann", reason="Showed a student card")

    learner.refresh_from_db()
    assert (learner.user, learner.link_how) == (account, LinkHow.STAFF)
    assert ProgramCourseEnrollment.objects.filter(learner=learner).exists()
    assert CourseEnrollment.objects.get(user=account).is_active
    assert page.redirected_to == url_of(Learner, "change", learner.pk)
    assert page.messages() == [
        "The learner is linked to this account.",
        "1 learner was linked.",
        "1 enrollment became real.",
    ]
    for entry in LedgerEntry.objects.filter(learner=learner):
        assert (entry.source, entry.actor_id, entry.reason) == ("staff", desk.user.pk, "Showed a student card")


def test_an_account_is_named_by_username_or_by_number(desk: Desk) -> None:
    number = UserFactory(username="12345").pk
    other = UserFactory(username=f"x{number}")
    one, two, three = LearnerFactory.create_batch(3)

    correct(desk, one, "link", account="12345", reason="why")
    correct(desk, two, "link", account=f"#{other.pk}", reason="why")
    page = correct(desk, three, "link", account=str(other.pk), reason="why")

    one.refresh_from_db()
    two.refresh_from_db()
    three.refresh_from_db()
    assert (one.user_id, two.user_id, three.user_id) == (number, other.pk, None)
    assert page.errors() == ["There is no such account. Check the spelling; a user ID is written with # before it."]


@pytest.mark.parametrize("account", ["nobody", "#0", "#", "#-1", "#99999999999999999999999", "", "x" * 300, "#²"])
def test_no_nonsense_for_an_account_links_or_breaks(account: str, desk: Desk) -> None:
    learner = LearnerFactory()

    page = correct(desk, learner, "link", account=account, reason="why")

    learner.refresh_from_db()
    assert (page.status, learner.user_id) == (200, None)
    assert page.errors()


def test_what_the_app_refuses_is_said_on_the_form(desk: Desk) -> None:
    taken = LinkedLearnerFactory()
    other = LearnerFactory(school=taken.school)

    page = correct(desk, other, "link", account=taken.user.username, reason="why")

    assert page.errors() == ["This account already is another learner of the school. Unlink that one first."]


@pytest.mark.parametrize("correction", ["link", "unlink", "settle"])
def test_nothing_is_corrected_without_a_reason(correction: str, desk: Desk) -> None:
    account = UserFactory()
    learner = LinkedLearnerFactory(problem_code=LearnerProblem.CONFLICT)
    before = Learner.objects.values().get(pk=learner.pk)

    page = correct(desk, learner, correction, account=account.username, reason=" ")

    assert page.errors()
    assert Learner.objects.values().get(pk=learner.pk) == before


def test_unlinking_takes_back_what_was_given(desk: Desk) -> None:
    account = UserFactory(username="ann")
    learner = PreemptiveCourseEnrollmentFactory().learner
    correct(desk, learner, "link", account="ann", reason="why")

    correct(desk, learner, "unlink", reason="The wrong Ann")

    learner.refresh_from_db()
    assert learner.user is None
    assert not CourseEnrollment.objects.get(user=account).is_active
    assert PreemptiveCourseEnrollment.objects.filter(learner=learner).exists()
    assert last_entry().reason == "The wrong Ann"


def test_settling_a_conflict_takes_it_off_and_is_recorded(desk: Desk) -> None:
    learner = LinkedLearnerFactory(problem_code=LearnerProblem.CONFLICT, problem_detail="Two claims")

    correct(desk, learner, "settle", reason="The other account is an old one")

    learner.refresh_from_db()
    assert (learner.problem_code, learner.problem_detail) == ("", "")
    assert (last_entry().kind, last_entry().reason) == ("conflict_settled", "The other account is an old one")


def test_trying_again_finds_the_account_of_a_learner_who_waits(desk: Desk) -> None:
    provider = IdentityProviderFactory()
    account = UserFactory()
    UserSocialAuthFactory(user=account, uid=f"{provider.slug}:S-1")
    learner = LearnerFactory(school=provider.school, student_key="S-1", problem_code=LearnerProblem.REALIZING_FAILED)

    page = correct(desk, learner, "try-again", reason="")

    learner.refresh_from_db()
    assert (learner.user, learner.problem_code) == (account, "")
    assert page.messages() == ["1 learner was linked."]


def test_trying_again_asks_once_more_for_what_was_refused_too_often(desk: Desk) -> None:
    learner = LinkedLearnerFactory()
    promise = refused_promise(learner, refusals=5)

    desk.post(url_of(Learner), action="try_again", _selected_action=str(learner.pk))

    assert not PreemptiveCourseEnrollment.objects.filter(pk=promise.pk).exists()
    assert CourseEnrollment.objects.get(user=learner.user).is_active


def test_trying_again_says_what_is_still_refused(desk: Desk) -> None:
    promise = refused_promise(LinkedLearnerFactory(), refusals=5, course_run=CourseRunFactory(in_host=False))

    page = correct(desk, promise.learner, "try-again", reason="")

    promise.refresh_from_db()
    assert promise.tries == 6
    assert page.messages()[0].startswith("The learning platform refused 1 course enrollment.")


def test_trying_again_with_nothing_to_do_says_so_and_takes_an_old_failure_off(desk: Desk) -> None:
    learner = LearnerFactory(problem_code=LearnerProblem.REALIZING_FAILED)

    page = correct(desk, learner, "try-again", reason="")

    learner.refresh_from_db()
    assert learner.problem_code == ""
    assert page.messages() == [
        "No enrollments are left to be made real, and no account was found for a learner who waits."
    ]


def test_a_correction_that_no_longer_applies_changes_nothing(desk: Desk) -> None:
    learner = LearnerFactory()

    page = correct(desk, learner, "unlink", reason="why")

    assert page.messages() == ["“Unlink from the account” does not apply to this learner any more."]
    assert not LedgerEntry.objects.exists()


def test_whoever_may_only_look_sees_no_corrections_and_cannot_make_any(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with("view_learner")
    learner = LinkedLearnerFactory(problem_code=LearnerProblem.CONFLICT)

    assert page_of(desk, learner).status == 200
    assert corrections_on(desk, learner) == []
    assert 'value="try_again"' not in desk.get(url_of(Learner)).text
    for correction in ("link", "unlink", "settle", "try-again"):
        assert desk.get(url_of(Learner, correction, learner.pk)).status == 403
        assert correct(desk, learner, correction, reason="why").status == 403


def test_whoever_may_change_learners_sees_and_corrects(desk_with: Callable[..., Desk]) -> None:
    desk = desk_with("change_learner")
    learner = LinkedLearnerFactory()

    assert correct(desk, learner, "unlink", reason="why").status == 200
    assert Learner.objects.get().user is None


def test_who_is_no_staff_gets_nowhere(desk: Desk) -> None:
    User.objects.filter(pk=desk.user.pk).update(is_staff=False)
    learner = LinkedLearnerFactory()

    assert "login" in correct(desk, learner, "unlink", reason="why").redirected_to
    assert Learner.objects.get().user is not None


def test_a_learner_who_is_not_there_is_not_found(desk: Desk) -> None:
    assert desk.get(url_of(Learner, "link", 404)).status == 404


def test_what_others_wrote_cannot_become_markup(desk: Desk) -> None:
    learner = LearnerFactory(
        student_key="<script>alert(1)</script>", problem_detail="<b>x</b>", problem_code="conflict"
    )

    for url in (url_of(Learner), url_of(Learner, "change", learner.pk), url_of(Learner, "link", learner.pk)):
        text = desk.get(url).text
        assert "<script>alert(1)" not in text
        assert "<b>x</b>" not in text
