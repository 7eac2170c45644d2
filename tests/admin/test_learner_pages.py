"""A conflict, the cause of what went wrong, and statuses: what is done from a learner's own page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from program_enrollments.data import LearnerProblem
from program_enrollments.models import (
    Learner,
    LedgerEntry,
    LinkClaim,
    ProgramEnrollment,
)
from tests.admin.conftest import Desk, last_entry, url_of
from tests.admin.test_learners import correct, page_of, refused_promise
from tests.factories.enrollment import (
    CourseRunFactory,
    LearnerFactory,
    LinkedLearnerFactory,
    PreemptiveCourseEnrollmentFactory,
    PreemptiveProgramEnrollmentFactory,
    ProgramCourseEnrollmentFactory,
    ProgramEnrollmentFactory,
)
from tests.factories.host import UserFactory


class TestAConflict:
    """Everything that support staff need to decide it is on the learner's page."""

    def claimed(self) -> tuple[Learner, User]:
        learner = LinkedLearnerFactory(
            student_key="S-1",
            user__username="holder",
            link_how="email",
            linked_at=timezone.now(),
            problem_code=LearnerProblem.CONFLICT,
            problem_detail="Linked to one account, but another one claims this learner.",
        )
        claimant = UserFactory(username="claimant")
        LinkClaim.objects.create(learner=learner, user=claimant, how="sso", at=timezone.now())
        LedgerEntry.objects.create(
            at=timezone.now(),
            learner=learner,
            student_key="S-1",
            kind="conflict",
            before=f"email:{learner.user_id}",
            after=f"sso:{claimant.pk}",
            source="sign_in",
        )
        return learner, claimant

    def test_names_both_accounts_with_the_evidence_and_links(self, desk: Desk) -> None:
        learner, claimant = self.claimed()

        page = page_of(desk, learner)

        rows = [
            " ".join(row.text_content().split())
            for row in page.tree.xpath('//section[@aria-labelledby="learner-claims"]//tbody/tr')
        ]
        assert rows[0].startswith(f"holder (#{learner.user_id}) confirmed e-mail")
        assert rows[1].startswith(f"claimant (#{claimant.pk}) single sign-on")
        links = page.tree.xpath('//section[@aria-labelledby="learner-claims"]//a/@href')
        assert links == [f"/admin/auth/user/{user_id}/change/" for user_id in (learner.user_id, claimant.pk)]
        changes = page.tree.xpath('string(//section[@aria-labelledby="learner-changes"]//tbody)')
        assert f"claimant (#{claimant.pk}), by single sign-on" in " ".join(changes.split())

    def test_the_claimant_is_linked_by_one_button_with_a_reason(self, desk: Desk) -> None:
        learner, claimant = self.claimed()
        tree = page_of(desk, learner).tree
        (button,) = tree.xpath('//button[@form="decide-claims"][@name="account"]')
        assert button.get("value") == f"#{claimant.pk}"

        page = desk.post(button.get("formaction"), account=button.get("value"), reason="Showed a student card")

        learner.refresh_from_db()
        assert (learner.user, learner.problem_code) == (claimant, "")
        assert page.redirected_to == url_of(Learner, "change", learner.pk)

    def test_the_present_account_is_kept_by_one_button(self, desk: Desk) -> None:
        learner, _claimant = self.claimed()
        (button,) = page_of(desk, learner).tree.xpath('//button[@form="decide-claims"][not(@name)]')

        desk.post(button.get("formaction"), reason="The other one is old")

        learner.refresh_from_db()
        assert (str(learner.user), learner.problem_code) == ("holder", "")

    def test_without_a_reason_the_form_comes_back_with_the_account_in_it(self, desk: Desk) -> None:
        learner, claimant = self.claimed()

        page = correct(desk, learner, "link", account=f"#{claimant.pk}", reason="")

        assert page.errors() == ["This field is required."]
        assert page.tree.xpath('//input[@name="account"]/@value') == [f"#{claimant.pk}"]

    def test_who_may_only_look_sees_no_buttons_and_no_links_to_accounts(self, desk_with: Callable[..., Desk]) -> None:
        learner, _claimant = self.claimed()
        desk = desk_with("view_learner")

        page = page_of(desk, learner)

        assert "claimant" in page.text
        assert page.tree.xpath('//*[@form="decide-claims"]') == []
        assert page.tree.xpath('//div[@id="content-main"]//a[contains(@href, "/auth/user/")]') == []
        assert page.tree.xpath('//div[@id="content-main"]//a[contains(@href, "ledgerentry")]') == []
        assert page.tree.xpath('//div[@id="content-main"]//a[contains(@href, "/school/")]') == []
        assert str(learner.school) in page.text


class TestTheCause:
    def test_is_in_the_list_and_in_a_banner_when_the_platform_refused(self, desk: Desk) -> None:
        learner = LinkedLearnerFactory(student_key="S-1")
        refused_promise(learner, refusals=5)

        (row,) = desk.get(url_of(Learner), needs="refused").rows()
        assert "The learning platform has no course run with this key." in row
        (banner,) = page_of(desk, learner).tree.xpath('//*[@class="errornote"]')
        assert "The learning platform has no course run with this key." in banner.text_content()

    def test_is_no_cause_while_it_is_tried_again(self, desk: Desk) -> None:
        learner = LinkedLearnerFactory(student_key="S-1")
        refused_promise(learner, refusals=4)

        assert "no course run" not in desk.get(url_of(Learner)).rows()[0]
        assert page_of(desk, learner).tree.xpath('//*[@class="errornote"]') == []


class TestStatuses:
    """One link and one form, whether the enrollment is real or waits for an account."""

    @pytest.mark.parametrize("account", [True, False])
    def test_in_a_program_are_changed_from_the_learners_page(self, desk: Desk, account: bool) -> None:
        made = (ProgramEnrollmentFactory if account else PreemptiveProgramEnrollmentFactory)(status="enrolled")
        learner = made.learner
        (link,) = page_of(desk, learner).tree.xpath('//section[@aria-labelledby="learner-programs"]//td/a/@href')
        assert "The status is enrolled." in desk.get(link).text

        page = desk.post(link, status="suspended", reason="Asked by the school")

        assert page.redirected_to == url_of(Learner, "change", learner.pk)
        assert page.messages() == ["The status of 1 enrollment changed."]
        made.refresh_from_db()
        assert made.status == "suspended"
        assert last_entry().reason == "Asked by the school"

    @pytest.mark.parametrize("account", [True, False])
    def test_in_a_course_run_are_changed_from_the_learners_page(self, desk: Desk, account: bool) -> None:
        program, course = (
            (ProgramEnrollmentFactory, ProgramCourseEnrollmentFactory)
            if account
            else (PreemptiveProgramEnrollmentFactory, PreemptiveCourseEnrollmentFactory)
        )
        place = program()
        run = CourseRunFactory(curricula=[place.curriculum])
        made = course(program=place.program, course_run=run, learner=place.learner, status="active")
        (link,) = page_of(desk, made.learner).tree.xpath('//section[@aria-labelledby="learner-courses"]//td/a/@href')

        desk.post(link, status="inactive", course_staff="", reason="Asked by the school")

        made.refresh_from_db()
        assert made.status == "inactive"

    def test_need_the_permission_of_their_table(self, desk_with: Callable[..., Desk]) -> None:
        made = ProgramEnrollmentFactory()
        desk = desk_with("view_learner", "change_preemptiveprogramenrollment")
        url = f"{url_of(Learner, 'status', made.learner.pk)}?program={made.program.pk}"

        assert page_of(desk, made.learner).tree.xpath('//td/a[contains(@href, "/status/")]') == []
        assert desk.get(url).status == 403
        assert desk.post(url, status="ended", reason="why").status == 403

    @pytest.mark.parametrize(
        "query", ["", "?program=0", "?program=x", "?program=\N{ARABIC-INDIC DIGIT THREE}", "?program={}&course_run=1"]
    )
    def test_of_a_place_that_is_not_there_are_not_found(self, desk: Desk, query: str) -> None:
        made = ProgramEnrollmentFactory()

        assert desk.get(url_of(Learner, "status", made.learner.pk) + query.format(made.program.pk)).status == 404

    def test_of_another_learner_are_not_reached(self, desk: Desk) -> None:
        made, other = ProgramEnrollmentFactory(), LearnerFactory()

        assert desk.get(f"{url_of(Learner, 'status', other.pk)}?program={made.program.pk}").status == 404


def test_rows_lead_to_the_enrollments_for_those_who_may_see_them(desk: Desk, desk_with: Callable[..., Desk]) -> None:
    learner = LinkedLearnerFactory()
    ProgramEnrollmentFactory(learner=learner, curriculum__program__school=learner.school)
    links = '//section[@aria-labelledby="learner-programs"]//th/a/@href'

    (link,) = page_of(desk, learner).tree.xpath(links)
    assert desk.get(link).status == 200
    assert page_of(desk_with("view_learner"), learner).tree.xpath(links) == []


def test_an_enrollments_page_links_to_the_learner_only_for_those_who_may_see_learners(
    desk: Desk, desk_with: Callable[..., Desk]
) -> None:
    made = ProgramEnrollmentFactory()
    url = url_of(ProgramEnrollment, "change", made.pk)
    link = f'//a[@href="{url_of(Learner, "change", made.learner.pk)}"]'

    assert len(desk.get(url).tree.xpath(link)) == 1
    assert desk_with("view_programenrollment").get(url).tree.xpath(link) == []


def test_unlinking_is_not_called_a_link(desk: Desk) -> None:
    learner = LinkedLearnerFactory(user__username="ann")

    correct(desk, learner, "unlink", reason="The wrong Ann")

    changes = page_of(desk, learner).tree.xpath('string(//section[@aria-labelledby="learner-changes"]//tbody)')
    entry = " ".join(changes.split())
    assert "unlinked from the account" in entry
    assert "link to an account" not in entry
    (row,) = desk.get(url_of(LedgerEntry)).rows()
    assert "unlinked from the account" in row
