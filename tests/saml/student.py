"""A student's browser, as far as the flow goes: follows forms and keeps cookies, but shows nothing."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth import get_user
from django.http import HttpRequest
from django.test import Client
from lxml import etree

from program_enrollments.saml.identities import UID
from tests.saml.university import University

MAIL = "urn:oid:0.9.2342.19200300.100.1.3"


class Student:
    """Somebody with a browser of their own."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def start(self, slug: str = "uni-a", **query: str) -> str:
        """Ask for a sign-on, and return the request's ID as the university would read it."""
        response = self.client.get(f"/sso/start/{slug}/", query)
        assert response.status_code == 302, response.content.decode()
        return str(read_request(response["Location"]).get("ID"))

    def come_back(self, encoded: str, **fields: str) -> Any:
        """Post a response as the university's page lets the browser do, and once more from our own page."""
        page = self.client.post("/sso/acs/", {"SAMLResponse": encoded} | fields)
        if page.status_code != 200 or 'id="return"' not in page.content.decode():
            return page
        return self.client.post("/sso/acs/", hidden_fields(page.content.decode()))

    @property
    def username(self) -> str:
        """Who is signed in, empty for nobody."""
        request = HttpRequest()
        request.session = self.client.session
        return str(get_user(request).get_username())


def read_request(url: str) -> etree._Element:
    """Return the request that an address at a university carries."""
    (encoded,) = parse_qs(urlsplit(url).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(b64decode(encoded), wbits=-zlib.MAX_WBITS))


class _HiddenFields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "input" and attributes.get("type") == "hidden":
            self.found[attributes.get("name") or ""] = attributes.get("value") or ""


def hidden_fields(page: str) -> dict[str, str]:
    """Return the hidden fields of the forms of a page."""
    parser = _HiddenFields()
    parser.feed(page)
    return parser.found


def refusal_on(page: str) -> str:
    """Return the machine word on a page that refuses a sign-on, empty if the page is another one."""
    found = re.search(r"<dd><code>([a-z_]+)</code>", page)
    return found[1] if found else ""


def sign_on(student: Student, university: University, remote_id: str = "student1", **attributes: list[str]) -> Any:
    """Sign on from start to end; `attributes` are added to the permanent ID."""
    said = {UID: [remote_id]} | {{"mail": MAIL}.get(name, name): values for name, values in attributes.items()}
    return student.come_back(university.response(student.start(university.slug), attributes=said))
