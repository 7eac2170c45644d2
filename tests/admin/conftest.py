"""Support staff in Django admin, and what they find there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from program_enrollments.models import LedgerEntry
from tests.factories.host import StaffUserFactory, SuperuserFactory

APP = "university_enrollments"


def url_of(model: type, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{APP}_{model.__name__.lower()}_{page}", args=args)


@dataclass
class Page:
    """A page as a browser gets it."""

    status: int
    text: str
    redirected_to: str

    @property
    def tree(self) -> Any:
        return html.fromstring(self.text)

    def rows(self) -> list[str]:
        """Return the text of each row of a list."""
        return [" ".join(row.text_content().split()) for row in self.tree.xpath('//table[@id="result_list"]/tbody/tr')]

    def messages(self) -> list[str]:
        return [" ".join(item.text_content().split()) for item in self.tree.xpath('//ul[@class="messagelist"]/li')]

    def errors(self) -> list[str]:
        return [
            " ".join(item.text_content().split()) for item in self.tree.xpath('//ul[contains(@class,"errorlist")]/li')
        ]


@dataclass
class Desk:
    """A member of staff at work."""

    user: User
    client: Client

    def get(self, url: str, **query: str) -> Page:
        return self._page(self.client.get(url, query))

    def post(self, url: str, **data: Any) -> Page:
        """Post a form and follow where it leads."""
        return self._page(self.client.post(url, data, follow=True))

    def statements(self, url: str, **query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert self.client.get(url, query).status_code == 200
        return len(captured)

    @staticmethod
    def _page(response: Any) -> Page:
        chain = getattr(response, "redirect_chain", [])
        return Page(response.status_code, response.content.decode(), chain[-1][0] if chain else "")


def seat(user: User) -> Desk:
    client = Client()
    client.force_login(user)
    return Desk(user, client)


@pytest.fixture
def desk(db: None) -> Desk:
    """Somebody who may do everything."""
    return seat(SuperuserFactory())


@pytest.fixture
def desk_with(db: None) -> Callable[..., Desk]:
    """Make a member of staff with just these permissions of the app, such as "view_learner"."""

    def make(*codenames: str) -> Desk:
        user = StaffUserFactory()
        user.user_permissions.set(permissions(codenames))
        return seat(user)

    return make


def permissions(codenames: Iterable[str]) -> list[Permission]:
    found = list(Permission.objects.filter(content_type__app_label=APP, codename__in=codenames))
    assert len(found) == len(set(codenames))
    return found


def last_entry() -> LedgerEntry:
    entry = LedgerEntry.objects.order_by("pk").last()
    assert entry is not None
    return entry
