"""A browser without a window: keeps cookies, follows redirects, and submits the forms of the pages it gets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html

TIMEOUT = 60


class Browser:
    """Somebody's browser, over real HTTP. `page` is the page it shows, `url` where that is from."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self.response: requests.Response = requests.Response()

    def open(self, url: str) -> Browser:
        """Go to an address, absolute or of the present page."""
        self.response = self._session.get(urljoin(self.url, url), timeout=TIMEOUT)
        return self

    def follow(self, text: str) -> Browser:
        """Follow the first link with this text."""
        (link, *_others) = [one for one in self.page.iter("a") if text in " ".join(one.text_content().split())]
        return self.open(link.get("href"))

    def submit(self, button: str = "", files: dict[str, Any] | None = None, **fields: str | list[str]) -> Browser:
        """Submit the form that has all of `fields`, with them filled in; `button` is the name of the one pressed."""
        forms = [one for one in self.page.forms if set(fields) <= {name for name, _value in _inputs(one)}]
        (form, *_others) = [one for one in forms if not button or one.xpath(".//*[@name=$name]", name=button)]
        data = dict(form.form_values()) | fields
        if button:
            (pressed, *_more) = form.xpath(".//*[@name=$name]", name=button)
            data[button] = pressed.get("value") or ""
        method = (form.get("method") or "get").upper()
        self.response = self._session.request(
            method,
            urljoin(self.url, form.get("action") or ""),
            data=data if method == "POST" else None,
            params=None if method == "POST" else data,
            files=files,
            headers={"Referer": self.url},
            timeout=TIMEOUT,
        )
        return self

    @property
    def url(self) -> str:
        return self.response.url or ""

    @property
    def text(self) -> str:
        """The page, as text that a person would read."""
        return " ".join(self.page.text_content().split())

    @property
    def page(self) -> Any:
        return html.fromstring(self.response.text)


def _inputs(form: Any) -> list[tuple[str, Any]]:
    return [(element.get("name"), element) for element in form.xpath(".//*[@name]")]
