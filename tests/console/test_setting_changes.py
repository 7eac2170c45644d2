"""Who changed a school's settings, endpoints, feeds and contacts is recorded, and shown to its managers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from program_enrollments.data import Permission
from program_enrollments.models import Contact, Feed, SettingChange, WebhookEndpoint
from tests.api.feeds.conftest import Folder, feed_storage
from tests.console.conftest import Desk, administrator
from tests.rest_api.callers import Campus, make_campus

__all__ = ["feed_storage"]

URL = "https://sis.example.edu/hooks"


@pytest.fixture
def manager(campus: Campus) -> Desk:
    return administrator(Permission.MANAGE_SCHOOL, campus=campus)


def listed(desk: Desk, key: str) -> list[str]:
    """Return the changes that the settings' page lists, without their times, the newest first."""
    page = desk.open("brand", key)
    entries = page.tree.xpath('//section[@aria-labelledby="setting-changes"]/ul/li')
    for entry in entries:
        entry.find("time").text = ""
    return [" ".join(entry.text_content().split()) for entry in entries]


def test_what_happens_to_an_endpoint_is_recorded(manager: Desk, campus: Campus) -> None:
    key, by = campus.school.key, f"by {manager.user.username}"
    manager.send("webhooks", key, url=URL)
    endpoint = WebhookEndpoint.objects.get()
    for action in ("rotate", "off", "off", "on", "remove"):
        manager.send("webhook", key, endpoint.pk, action=action)

    assert listed(manager, key) == [
        f"webhook endpoint removed: {URL} {by}",
        f"webhook endpoint switched on: {URL} {by}",
        f"webhook endpoint switched off: {URL} {by}",
        f"secret of a webhook endpoint replaced: {URL} {by}",
        f"webhook endpoint added: {URL} {by}",
    ]
    assert endpoint.secret not in str(list(SettingChange.objects.values()))


def test_settings_are_recorded_with_what_they_were(manager: Desk, campus: Campus) -> None:
    key = campus.school.key
    form = {"name": campus.school.name, "guard_minimum": "10", "guard_percent": "20", "primary_color": "#7a1f2b"}
    manager.send("brand", key, **form)
    manager.send("brand", key, **form)
    manager.send("brand", key, **{**form, "guard_percent": "50"}, support_email="kim@uni-a.example")

    newest, oldest = listed(manager, key)
    assert oldest == f"settings changed by {manager.user.username} Color: – → #7a1f2b"
    assert newest.startswith(f"settings changed by {manager.user.username} ")
    assert "20 → 50" in newest
    assert "Address of your support" in newest
    assert "kim@uni-a.example" not in str(list(SettingChange.objects.values()))


def test_contacts_are_recorded_without_their_address(manager: Desk, campus: Campus) -> None:
    key = campus.school.key
    manager.send("contacts", key, email="office@uni-a.example")
    manager.send("contact-remove", key, Contact.objects.get().pk, action="remove")

    by = f"by {manager.user.username}"
    assert listed(manager, key) == [f"contact removed {by}", f"contact added {by}"]
    assert "office@" not in str(list(SettingChange.objects.values()))


def test_feeds_are_recorded(manager: Desk, campus: Campus, feed_storage: Callable[..., Path]) -> None:
    Folder(feed_storage(), campus.school, campus.program).path.mkdir(parents=True)
    key = campus.school.key
    form: dict[str, Any] = {
        "program": str(campus.program.uuid),
        "kind": "program_enrollments",
        "pattern": "mds-*.csv",
        "mode": "upsert",
        "days": ["1", "3"],
        "hour": "04:30",
    }
    manager.send("feed-add", key, **form)
    feed = Feed.objects.get()
    manager.send("feed", key, feed.pk, **form)
    manager.send("feed", key, feed.pk, **{**form, "hour": "05:00"})

    changed, added = listed(manager, key)
    assert added.startswith(f"feed added: mds-*.csv by {manager.user.username}")
    assert f"Program: – → {campus.program.title}" in added
    assert "Expected on weekdays, Monday is 1: – → 1 3" in added
    assert changed == f"feed changed: mds-*.csv by {manager.user.username} Expected until: 04:30:00 → 05:00:00"


def test_a_schools_record_is_its_own(manager: Desk, campus: Campus) -> None:
    other = make_campus("uni-b")
    stranger = administrator(Permission.MANAGE_SCHOOL, campus=other)
    stranger.send("webhooks", other.school.key, url=URL)

    assert listed(manager, campus.school.key) == []
    assert "Nothing has been changed here yet." in manager.open("brand", campus.school.key).text
