"""People: access given and taken, invitations, and who looked at whose data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from program_enrollments.data import BUNDLES, Bundle, Permission
from program_enrollments.models import AccessChange, Grant, Invitation
from tests.console.conftest import Desk, administrator, enroll
from tests.factories.enrollment import GrantFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory
from tests.rest_api.callers import Campus, make_campus


def held(user: User, **place: Any) -> set[str]:
    return set(Grant.objects.filter(user=user, **place).values_list("permission", flat=True))


def mailed_token() -> str:
    match = re.search(r"/invitations/([^/\s]+)/", str(mail.outbox[-1].body))
    assert match
    return match[1]


def test_people_stand_with_what_they_may(registrar: Desk, campus: Campus) -> None:
    viewer = UserFactory(username="vic")
    for permission in BUNDLES[Bundle.VIEWER]:
        GrantFactory(user=viewer, school=None, program=campus.program, permission=permission)

    rows = registrar.open("people", campus.school.key).rows()

    assert any(row.startswith(f"vic viewer {campus.program.title} –") for row in rows)
    (own,) = [row for row in rows if row.startswith(registrar.user.username)]
    assert "registrar the whole school manage the school's settings" in own


def test_a_bundle_is_given_and_recorded(registrar: Desk, campus: Campus) -> None:
    kim = ConfirmedUserFactory(username="kim", email="kim@uni.example")

    page = registrar.send("people", campus.school.key, person="kim", bundle="editor", reason="New in the office")

    assert page.messages() == ["kim has access now."]
    assert held(kim, school=campus.school) == BUNDLES[Bundle.EDITOR]
    assert "New in the office" in page.text
    change = AccessChange.objects.get()
    assert (change.actor_id, change.user_id) == (registrar.user.pk, kim.pk)
    assert set(change.given) == BUNDLES[Bundle.EDITOR]

    registrar.send("people", campus.school.key, person="KIM@uni.example", bundle="viewer")
    assert held(kim, school=campus.school) == BUNDLES[Bundle.VIEWER], "an address that is confirmed names the account"


def test_an_account_that_calls_itself_by_an_address_is_not_who_has_it(registrar: Desk, campus: Campus) -> None:
    impostor = UserFactory(username="kim@uni.example", email="mallory@elsewhere.example")

    page = registrar.send("people", campus.school.key, person="kim@uni.example", bundle="registrar")
    assert held(impostor) == set()
    assert page.messages() == ["kim@uni.example is invited. The link in the mail works for a week."]

    kim = ConfirmedUserFactory(username="kim", email="kim@uni.example")
    registrar.send("people", campus.school.key, person="kim@uni.example", bundle="viewer")
    assert held(impostor) == set()
    assert held(kim, school=campus.school) == BUNDLES[Bundle.VIEWER]


def test_access_is_taken_away(registrar: Desk, campus: Campus) -> None:
    kim = UserFactory(username="kim")
    registrar.send("people", campus.school.key, person="kim", bundle="viewer", program=str(campus.program.uuid))
    assert held(kim, program=campus.program) == BUNDLES[Bundle.VIEWER]

    page = registrar.send("take-access", campus.school.key, kim.pk, program=str(campus.program.uuid))

    assert page.messages() == ["The access is taken away."]
    assert held(kim) == set()


class TestNobodyGivesWhatTheyDoNotHold:
    @pytest.fixture
    def manager(self, holding: Callable[..., Desk]) -> Desk:
        return holding(Permission.MANAGE_ACCESS, *BUNDLES[Bundle.VIEWER])

    def test_giving(self, manager: Desk, campus: Campus) -> None:
        kim = UserFactory(username="kim")

        page = manager.send("people", campus.school.key, person="kim", bundle="editor")

        assert page.status == 400
        assert "You don't hold the permission to write enrollments there" in page.errors()[0]
        assert held(kim) == set()

    def test_taking(self, manager: Desk, registrar: Desk, campus: Campus) -> None:
        page = manager.send("take-access", campus.school.key, registrar.user.pk)

        assert "so you can neither give nor take it" in page.messages()[0]
        assert held(registrar.user) == set(Permission.values)

    def test_inviting(self, manager: Desk, campus: Campus) -> None:
        page = manager.send("people", campus.school.key, person="new@uni.example", bundle="registrar")

        assert page.errors() == ["You can give only what you hold yourself."]
        assert not Invitation.objects.exists()

    def test_a_program_of_another_school(self, registrar: Desk, campus: Campus) -> None:
        UserFactory(username="kim")
        other = make_campus("uni-b")

        page = registrar.send(
            "people", campus.school.key, person="kim", bundle="viewer", program=str(other.program.uuid)
        )

        assert page.status == 400
        assert not AccessChange.objects.exists()

    def test_nobody_locks_the_school_out(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.send("take-access", campus.school.key, registrar.user.pk)

        assert "You can't take the management of access from yourself." in page.messages()[0]
        assert held(registrar.user) == set(Permission.values)

    def test_what_concerns_the_school_is_not_given_on_a_program(self, registrar: Desk, campus: Campus) -> None:
        UserFactory(username="kim")

        page = registrar.send(
            "people",
            campus.school.key,
            person="kim",
            bundle="viewer",
            extra=["manage_school"],
            program=str(campus.program.uuid),
        )

        assert "Choose the school instead of a program." in page.errors()[0]


class TestInvitations:
    @pytest.fixture
    def token(self, registrar: Desk, campus: Campus) -> str:
        page = registrar.send("people", campus.school.key, person="Kim@uni.example", bundle="editor")
        assert page.messages() == ["Kim@uni.example is invited. The link in the mail works for a week."]
        assert "Invited, not here yet Kim@uni.example" in page.text
        assert mail.outbox[-1].to == ["Kim@uni.example"]
        return mailed_token()

    def test_the_invited_address_accepts_once(self, token: str, campus: Campus) -> None:
        kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))
        assert "write enrollments" in kim.open("invitation", token).text
        assert held(kim.user) == set(), "looking accepts nothing"

        page = kim.send("invitation", token)

        assert campus.program.title in page.text
        assert held(kim.user, school=campus.school) == BUNDLES[Bundle.EDITOR]
        assert kim.send("invitation", token).status == 404

    @pytest.mark.parametrize("address", ["lee@uni.example", ""])
    def test_another_address_does_not(self, token: str, address: str) -> None:
        lee = Desk(ConfirmedUserFactory(email=address) if address else UserFactory())

        page = lee.send("invitation", token)

        assert page.status == 403
        assert "This invitation is for another address" in page.text
        assert held(lee.user) == set()

    def test_the_right_address_unconfirmed_does_not(self, token: str) -> None:
        kim = Desk(UserFactory(email="kim@uni.example"))

        assert kim.send("invitation", token).status == 403

    def test_it_ends_after_a_week(self, token: str) -> None:
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))

        page = kim.send("invitation", token)

        assert page.status == 404
        assert "This invitation does not count" in page.text

    def test_withdrawn_it_does_not_count(self, token: str, registrar: Desk, campus: Campus) -> None:
        registrar.send("withdraw", campus.school.key, Invitation.objects.get().pk)

        assert Desk(ConfirmedUserFactory(email="kim@uni.example")).send("invitation", token).status == 404

    def test_a_mail_server_that_is_down_keeps_nobody_from_withdrawing_it(
        self, token: str, registrar: Desk, campus: Campus, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        page = registrar.send("withdraw", campus.school.key, Invitation.objects.get().pk)

        assert page.messages() == ["The invitation is withdrawn."]
        assert "The withdrawal of an invitation could not be mailed" in caplog.text
        assert "kim" not in caplog.text

    def test_who_invited_has_to_hold_it_still(self, token: str, registrar: Desk) -> None:
        Grant.objects.filter(user=registrar.user, permission=Permission.WRITE_ENROLLMENTS).delete()
        kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))

        assert kim.send("invitation", token).status == 403
        assert held(kim.user) == set()
        assert Invitation.objects.get().accepted_at is None

    def test_the_token_itself_is_not_stored(self, token: str) -> None:
        assert token not in str(list(Invitation.objects.values()))

    def test_an_address_that_is_none_is_said(self, registrar: Desk, campus: Campus) -> None:
        page = registrar.send("people", campus.school.key, person="kim@", bundle="viewer")

        assert page.errors() == ["This is no e-mail address."]
        page = registrar.send("people", campus.school.key, person="nobody", bundle="viewer")
        assert "No account has this username" in page.errors()[0]


def test_who_looked_is_shown_to_whoever_manages_access(registrar: Desk, campus: Campus) -> None:
    enroll(campus, "S-1")
    viewer = administrator(Permission.READ_ENROLLMENTS, campus=campus)
    viewer.open("learners", campus.program.uuid, q="S-1")
    viewer.download("learners", campus.program.uuid)

    rows = registrar.open("disclosures", campus.school.key).rows()

    assert [viewer.user.username in row for row in rows] == [True, True]
    assert "downloaded" in rows[0]
    assert "search 1 looked at" in rows[1]
    assert "S-1" not in " ".join(rows)
    assert viewer.open("disclosures", campus.school.key).status == 403
