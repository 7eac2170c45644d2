"""The admin's first pages: what needs a person, and no more tables than support staff need."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from program_enrollments.data import JobState, LearnerProblem
from program_enrollments.models import Job, Learner, ProposedMetadata
from tests.admin.conftest import APP, Desk, url_of
from tests.admin.test_learners import refused_promise
from tests.factories.enrollment import IdentityProviderFactory, LearnerFactory, LinkedLearnerFactory, ProgramFactory
from tests.factories.saml import SamlConfigurationFactory

INDEX, APP_INDEX = "/admin/", f"/admin/{APP}/"
PLUMBING = ("keptanswer", "ledgerposition", "gradebook")


def problems(desk: Desk, url: str = APP_INDEX) -> dict[str, str]:
    """Return the lines about open problems with their links."""
    links = desk.get(url).tree.xpath('//section[@aria-labelledby="ue-open-problems"]//a')
    return {" ".join(link.text_content().split()): link.get("href") for link in links}


def make_problems() -> None:
    program = ProgramFactory()
    for code in LearnerProblem:
        LearnerFactory(problem_code=code)
    LearnerFactory(problem_code=LearnerProblem.CONFLICT)
    refused = LinkedLearnerFactory()
    refused_promise(refused, refusals=5)
    refused_promise(refused, refusals=5)
    Job.objects.create(
        program=program, school=program.school, kind="program_enrollments", mode="upsert", state=JobState.HELD
    )
    configuration = SamlConfigurationFactory(identity_provider=IdentityProviderFactory(), signing_certificates="x")
    ProposedMetadata.objects.create(
        configuration=configuration, sso_url="https://x.example/", signing_certificates="x", proposed_at=timezone.now()
    )


@pytest.mark.parametrize("url", [INDEX, APP_INDEX])
def test_open_problems_are_counted_once_and_lead_to_their_lists(desk: Desk, url: str) -> None:
    assert problems(desk, url) == {}
    make_problems()

    found = problems(desk, url)

    assert list(found) == [
        "Conflicts about an account: 2",
        "Student IDs that may be another person's now: 1",
        "Learners whose enrollments could not be made real: 1",
        "Learners whom the learning platform refused too often: 1",
        "Files that wait for a decision: 1",
        "Proposed changes of a university's keys: 1",
    ]
    assert {desk.client.get(link).status_code for link in found.values()} == {200}
    assert len(desk.get(found["Conflicts about an account: 2"]).rows()) == 2


def test_counting_costs_the_same_however_many_there_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    make_problems()
    desk.get(APP_INDEX)
    few = desk.statements(APP_INDEX)
    LearnerFactory.create_batch(120, problem_code=LearnerProblem.CONFLICT)

    assert desk.statements(APP_INDEX) == few
    assert "Conflicts about an account: 100+" in problems(desk)


def test_only_what_the_viewer_may_see_is_counted(desk_with: Callable[..., Desk]) -> None:
    make_problems()

    assert list(problems(desk_with("view_job"))) == ["Files that wait for a decision: 1"]
    assert problems(desk_with("view_school")) == {}


def test_the_apps_bookkeeping_is_on_the_index_of_superusers_only(desk: Desk, desk_with: Callable[..., Desk]) -> None:
    staff = desk_with(*(f"view_{name}" for name in PLUMBING), "view_learner")

    for name in PLUMBING:
        url = f"{APP_INDEX}{name}/"
        assert url in desk.get(APP_INDEX).text
        assert url not in staff.get(APP_INDEX).text
        assert staff.get(url).status == 200, "those who may see it reach it by a link"
    assert url_of(Learner) in staff.get(APP_INDEX).text
