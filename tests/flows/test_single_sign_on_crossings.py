"""Sign-ons that meet each other, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connections
from social_django.models import UserSocialAuth

from program_enrollments.models import Learner, SeenAssertion
from program_enrollments.saml.identities import UID
from tests.factories.accounts import MODEL, asserted_address, username_after_sign_on
from tests.factories.enrollment import IdentityProviderFactory
from tests.factories.saml import SamlConfigurationFactory
from tests.saml.student import MAIL, Student
from tests.saml.university import University, found_university

BROWSERS = 4
T = TypeVar("T")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def university(tmp_path_factory: pytest.TempPathFactory) -> University:
    folder: Path = tmp_path_factory.mktemp("university")
    return found_university("uni-a", folder)


@pytest.fixture(autouse=True)
def provider(transactional_db: None, university: University) -> None:
    SamlConfigurationFactory(
        identity_provider=IdentityProviderFactory(slug="uni-a"),
        signing_certificates=university.certificate,
        allows_idp_initiated=True,
    )


def assert_student(university: University, remote_id: str) -> str:
    """Return a response of the university about a student; with an address, where no account is made without one."""
    address = asserted_address(remote_id=remote_id, slug="uni-a")
    attributes = {UID: [remote_id]} | ({MAIL: [address]} if address else {})
    return university.response(None, attributes=attributes)


def at_once(work: Callable[[int], T]) -> list[T]:
    """Do the work in as many threads as there are browsers, all starting together; return what each returned."""
    start = threading.Barrier(BROWSERS)

    def run(number: int) -> T:
        start.wait(timeout=120)
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(BROWSERS) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, number) for number in range(BROWSERS)]]


def test_one_assertion_posted_four_times_is_one_sign_on(university: University) -> None:
    encoded = assert_student(university, "student1")

    statuses = at_once(lambda _number: Student().come_back(encoded).status_code)

    assert sorted(statuses) == [302, 403, 403, 403]
    assert MODEL._default_manager.count() == UserSocialAuth.objects.count() == SeenAssertion.objects.count() == 1


def test_one_new_student_in_four_browsers_is_one_account(university: University) -> None:
    spellings = ["S-1", "s-1", "S-1", "s-1"]
    encoded = [assert_student(university, spelling) for spelling in spellings]
    students = [Student() for _ in range(BROWSERS)]

    statuses = at_once(lambda number: students[number].come_back(encoded[number]).status_code)

    assert statuses == [302] * BROWSERS
    user = MODEL._default_manager.get()
    assert {student.username for student in students} == {user.get_username()}
    assert UserSocialAuth.objects.count() == 1
    assert Learner.objects.get().user == user, "what the sign-ons entail was done by the end of them"


def test_four_new_students_who_want_one_username_get_four(university: University) -> None:
    encoded = [assert_student(university, f"KIM@{number}") for number in range(BROWSERS)]
    students = [Student() for _ in range(BROWSERS)]

    statuses = at_once(lambda number: students[number].come_back(encoded[number]).status_code)

    assert statuses == [302] * BROWSERS
    usernames = {student.username for student in students}
    assert len(usernames) == BROWSERS
    address = asserted_address(remote_id="KIM@0", slug="uni-a")
    assert username_after_sign_on(name="kim", address=address) in usernames
    assert not Learner.objects.filter(user=None).exists()
