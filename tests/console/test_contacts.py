"""Contacts in the console: naming who is mailed, and removing them."""

from __future__ import annotations

import pytest

from program_enrollments.data import Permission
from program_enrollments.models import Contact
from tests.console.conftest import Desk, administrator
from tests.rest_api.callers import Campus, make_campus


@pytest.fixture
def manager(campus: Campus) -> Desk:
    return administrator(Permission.MANAGE_SCHOOL, campus=campus)


def test_a_contact_is_added_and_removed(manager: Desk, campus: Campus) -> None:
    key = campus.school.key
    assert "Nobody is named yet" in manager.open("contacts", key).text

    page = manager.send("contacts", key, email="office@uni-a.example", language="de", is_daily="on")

    assert page.messages() == ["The contact is added. Mails go there from now on."]
    assert "office@uni-a.example one mail a day, Deutsch" in page.text
    contact = Contact.objects.get()
    assert (contact.school, contact.language, contact.is_daily) == (campus.school, "de", True)
    assert contact.created_by_id == manager.user.pk
    again = manager.send("contacts", key, email="Office@uni-a.example")
    assert (again.status, again.errors()) == (400, ["This address is a contact already."])
    assert manager.send("contacts", key, email="office").status == 400

    removed = manager.send("contact-remove", key, contact.pk, action="remove")
    assert removed.messages() == ["The contact is removed. It gets no more mails."]
    assert not Contact.objects.exists()
    assert manager.send("contact-remove", key, contact.pk, action="remove").status == 404


def test_another_schools_contact_does_not_exist(manager: Desk, campus: Campus) -> None:
    manager.send("contacts", campus.school.key, email="office@uni-a.example")
    other = make_campus("uni-b")
    stranger = administrator(Permission.MANAGE_SCHOOL, campus=other)

    assert stranger.send("contact-remove", other.school.key, Contact.objects.get().pk, action="remove").status == 404
    assert Contact.objects.exists()
