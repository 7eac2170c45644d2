"""Mails about access: who gets a grant, or loses one, hears of it, from the console and from Django admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from program_enrollments.data import BUNDLES, Bundle, Permission
from program_enrollments.models import Contact, Grant, Invitation
from tests.console.conftest import Desk, administrator
from tests.factories.enrollment import GrantFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory
from tests.rest_api.callers import Campus, make_campus


@pytest.fixture
def campus(db: None) -> Campus:
    return make_campus("uni-a")


@pytest.fixture
def registrar(campus: Campus) -> Desk:
    return administrator(*Permission, campus=campus)


@pytest.fixture
def kim(campus: Campus) -> User:
    return ConfirmedUserFactory(username="kim", email="kim@uni.example")


def test_who_is_given_access_hears_of_it(registrar: Desk, campus: Campus, kim: User) -> None:
    registrar.send("people", campus.school.key, person="kim", bundle="viewer", reason="Ada is ill")

    (sent,) = mail.outbox
    assert sent.to == ["kim@uni.example"]
    assert sent.subject == f"Your access to programs of {campus.school.name} has changed"
    text = str(sent.body)
    assert "You may now:\n- see programs and course runs\n- see enrollments\n- see grades and attendance\n" in text
    assert "no longer" not in text
    assert "http://testserver/console/" in text
    # Neither why nor by whom: both name people, and a mail is kept for long.
    assert "Ada" not in text
    assert registrar.user.username not in text


def test_who_may_less_hears_what_is_gone(registrar: Desk, campus: Campus, kim: User) -> None:
    for permission in BUNDLES[Bundle.EDITOR]:
        GrantFactory(user=kim, school=None, program=campus.program, permission=permission)
    registrar.send("people", campus.school.key, person="kim", bundle="viewer", program=str(campus.program.uuid))
    registrar.send("take-access", campus.school.key, kim.pk, program=str(campus.program.uuid))

    less, nothing = (str(sent.body) for sent in mail.outbox)
    assert f"your access to the program {campus.program.title} of {campus.school.name} has changed" in less
    assert "You may no longer:\n- write enrollments\n" in less
    assert nothing.count("\n- ") == 3
    assert not Grant.objects.filter(user=kim).exists()


def test_nothing_is_mailed_if_nothing_changed(registrar: Desk, campus: Campus, kim: User) -> None:
    registrar.send("people", campus.school.key, person="kim", bundle="viewer")
    mail.outbox.clear()

    registrar.send("people", campus.school.key, person="kim", bundle="viewer")
    registrar.send("people", campus.school.key, person=registrar.user.username, bundle="viewer", extra="manage_access")

    assert mail.outbox == [], "who changes their own access knows it"


def test_an_address_that_is_not_confirmed_gets_no_mail(registrar: Desk, campus: Campus) -> None:
    lee = UserFactory(username="lee", email="lee@uni.example")

    page = registrar.send("people", campus.school.key, person="lee", bundle="viewer")

    assert page.messages() == ["lee has access now."]
    assert Grant.objects.filter(user=lee).exists()
    assert mail.outbox == []


def test_a_mail_server_that_is_down_keeps_nobody_from_taking_access(
    registrar: Desk, campus: Campus, kim: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    GrantFactory(user=kim, school=campus.school, permission=Permission.METADATA)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    page = registrar.send("take-access", campus.school.key, kim.pk)

    assert page.messages() == ["The access is taken away."]
    assert not Grant.objects.filter(user=kim).exists()
    assert "A change of access could not be mailed" in caplog.text
    assert "kim" not in caplog.text


def test_who_was_invited_hears_that_it_is_off(registrar: Desk, campus: Campus) -> None:
    registrar.send("people", campus.school.key, person="new@uni.example", bundle="viewer")
    mail.outbox.clear()

    registrar.send("withdraw", campus.school.key, Invitation.objects.get().pk)

    (sent,) = mail.outbox
    assert sent.to == ["new@uni.example"]
    assert sent.subject == f"The invitation of {campus.school.name} is withdrawn"
    assert "The link in the earlier mail no longer works." in str(sent.body)


@pytest.fixture
def ada(campus: Campus) -> Desk:
    """A registrar with a confirmed address."""
    desk = Desk(ConfirmedUserFactory(username="ada", email="ada@uni.example"))
    for permission in Permission:
        GrantFactory(user=desk.user, school=campus.school, permission=permission)
    return desk


def invite(desk: Desk, campus: Campus, *, address: str = "kim@uni.example", **more: str) -> str:
    """Invite the address, empty the outbox, and return the token that was mailed."""
    desk.send("people", campus.school.key, person=address, bundle="viewer", **more)
    (sent,) = mail.outbox
    mail.outbox.clear()
    return str(sent.body).partition("/invitations/")[2].partition("/")[0].split()[0]


def test_who_invited_hears_that_it_is_accepted(
    ada: Desk, campus: Campus, django_capture_on_commit_callbacks: Any
) -> None:
    token = invite(ada, campus, program=str(campus.program.uuid))
    kim = Desk(ConfirmedUserFactory(username="kim-b", first_name="Kim", last_name="Berg", email="kim@uni.example"))

    with django_capture_on_commit_callbacks() as works:
        kim.send("invitation", token)
        assert mail.outbox == [], "it is sent once the access is committed"
    for work in works:
        work()

    (sent,) = mail.outbox
    assert sent.to == ["ada@uni.example"]
    assert sent.subject == f"Your invitation to {campus.school.name} is accepted"
    text = str(sent.body)
    assert f"kim@uni.example to administer the program {campus.program.title} of {campus.school.name}" in text
    assert f"http://testserver/console/schools/{campus.school.key}/people/" in text
    for personal in ("Kim", "Berg", "kim-b", "ada"):
        assert personal not in text


def test_they_hear_it_in_their_language(ada: Desk, campus: Campus, django_capture_on_commit_callbacks: Any) -> None:
    token = invite(ada, campus)
    Contact.objects.create(school=campus.school, email="Ada@uni.example", language="de", created_at=timezone.now())
    kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))

    with django_capture_on_commit_callbacks(execute=True):
        kim.client.post(reverse("console:invitation", args=[token]), headers={"accept-language": "es"})

    (sent,) = mail.outbox
    assert sent.subject == f"Ihre Einladung zu {campus.school.name} ist angenommen"
    assert str(sent.body).startswith("Guten Tag,")


def test_who_invited_without_a_confirmed_address_hears_nothing(
    registrar: Desk, campus: Campus, django_capture_on_commit_callbacks: Any
) -> None:
    token = invite(registrar, campus)
    kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))

    with django_capture_on_commit_callbacks(execute=True):
        kim.send("invitation", token)

    assert Invitation.objects.get().accepted_by_id == kim.user.pk
    assert mail.outbox == []


def test_a_mail_server_that_is_down_keeps_nobody_from_accepting(
    ada: Desk,
    campus: Campus,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    token = invite(ada, campus)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    kim = Desk(ConfirmedUserFactory(email="kim@uni.example"))

    with django_capture_on_commit_callbacks(execute=True):
        page = kim.send("invitation", token)

    assert page.messages() == ["Welcome. These are the programs you administer now."]
    assert Grant.objects.filter(user=kim.user).exists()
    assert "An accepted invitation could not be mailed" in caplog.text
    assert "uni.example" not in caplog.text


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def test_grants_in_the_admin_are_mailed_too(
    staff: Client, campus: Campus, kim: User, django_capture_on_commit_callbacks: Any
) -> None:
    add = reverse("admin:university_enrollments_grant_add")
    data = {"user": kim.pk, "school": campus.school.pk, "program": "", "permission": "freeze_grades"}
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(add, data).status_code == 302
    grant = Grant.objects.get()
    change = reverse("admin:university_enrollments_grant_change", args=[grant.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(change, data).status_code == 302
        assert staff.post(change, {**data, "permission": "reopen_grades"}).status_code == 302
    with django_capture_on_commit_callbacks(execute=True):
        delete = reverse("admin:university_enrollments_grant_delete", args=[grant.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 302

    told = [str(sent.body).partition(" has changed.")[2].split("- ")[:2] for sent in mail.outbox]
    assert [(how.strip(), what.partition("\n")[0]) for how, what in told] == [
        ("You may now:", "freeze grades"),
        ("You may no longer:", "freeze grades"),
        ("You may now:", "reopen frozen grades"),
        ("You may no longer:", "reopen frozen grades"),
    ]


def test_grants_on_a_schools_page_are_mailed_too(
    staff: Client, campus: Campus, kim: User, django_capture_on_commit_callbacks: Any
) -> None:
    url = reverse("admin:university_enrollments_school_change", args=[campus.school.pk])
    form = staff.get(url).context["adminform"].form
    data = {name: value if value is not None else "" for name, value in form.initial.items()}
    for prefix in ("email_domains", "identity_providers", "grants"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    data |= {"grants-TOTAL_FORMS": 1, "grants-0-user": kim.pk, "grants-0-permission": "manage_school"}

    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(url, data).status_code == 302

    assert Grant.objects.filter(user=kim, permission="manage_school").exists()
    (sent,) = mail.outbox
    assert "You may now:\n- manage the school's settings\n" in str(sent.body)
