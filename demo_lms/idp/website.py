"""The universities' website: a sign-in form, a portal, and metadata, below `/<university>/`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs

from demo_lms.idp.people import PASSWORD, Student, University
from demo_lms.idp.provider import IdentityProvider, RequestRefusedError, SignedResponse

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
MAX_FORM_BYTES = 100_000
STYLE = """
body { margin: 0; background: #eef0f3; color: #1c2430; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 24rem; margin: 12vh auto; padding: 2rem; background: #fff; border-top: .4rem solid #56606e; }
main { border-radius: .5rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 1rem 0 .2rem; }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 1px solid #7b8794; }
button { font: inherit; font-weight: 600; margin-top: 1.25rem; padding: .6rem 1.25rem; border: 0; cursor: pointer; }
button { background: #333c49; color: #fff; border-radius: .3rem; }
.bad { color: #8f1d1d; font-weight: 600; }
.small { color: #55606e; font-size: .875rem; }
"""


class Website:
    """A WSGI application over the identity providers of several universities."""

    def __init__(self, *, providers: Mapping[str, IdentityProvider]) -> None:
        self._providers = providers
        # pysaml2 doesn't say that it may be used by several threads at once.
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        key, _slash, page = str(environ.get("PATH_INFO", "")).strip("/").partition("/")
        provider = self._providers.get(key)
        if provider is None:
            status, kind, body = "200 OK", "text/html", self._overview()
            if key:
                status, body = "404 Not Found", _page("Nothing here", "<p>There is no such page.</p>")
        else:
            status, kind, body = self._answer(provider, page, _form(environ))
        headers = [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
        ]
        start_response(status, headers)
        return [body.encode()]

    def _answer(self, provider: IdentityProvider, page: str, form: Mapping[str, str]) -> tuple[str, str, str]:
        if page == "metadata":
            return "200 OK", "application/xml", provider.metadata()
        if page not in {"sso", "portal"}:
            return "404 Not Found", "text/html", _page("Nothing here", "<p>There is no such page.</p>")
        student = _signed_in(provider.university, form)
        if student is None:
            status = "403 Forbidden" if "username" in form else "200 OK"
            return status, "text/html", _sign_in_page(provider.university, form)
        try:
            with self._lock:
                if page == "portal":
                    response = provider.volunteer(student=student)
                else:
                    response = provider.answer(saml_request=form.get("SAMLRequest", ""), student=student)
        except RequestRefusedError:
            text = "<p>The service that sent you here is not known to the university, or sent something unreadable.</p>"
            return "400 Bad Request", "text/html", _page("You cannot go there", text)
        return "200 OK", "text/html", _return_page(response, form.get("RelayState", ""))

    def _overview(self) -> str:
        links = "".join(
            f'<li>{escape(provider.university.name)}: <a href="/{key}/portal">portal</a>, '
            f'<a href="/{key}/metadata">metadata</a></li>'
            for key, provider in self._providers.items()
        )
        return _page("Identity providers of the demo", f"<ul>{links}</ul>")


def _form(environ: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of the query, and over them those that were posted."""
    texts = [str(environ.get("QUERY_STRING", ""))]
    if environ.get("REQUEST_METHOD") == "POST":
        length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_FORM_BYTES)
        texts.append(environ["wsgi.input"].read(length).decode("utf-8", errors="replace"))
    return {name: values[-1] for text in texts for name, values in parse_qs(text).items()}


def _signed_in(university: University, form: Mapping[str, str]) -> Student | None:
    return university.find_student(username=form.get("username", "")) if form.get("password") == PASSWORD else None


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def _sign_in_page(university: University, form: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{escape(form[name])}">'
        for name in ("SAMLRequest", "RelayState")
        if name in form
    )
    wrong = '<p class="bad" role="alert">Username or password is wrong.</p>' if "username" in form else ""
    usernames = ", ".join(student.username for student in university.students)
    return _page(
        university.name,
        f'{wrong}<form method="post">{kept}'
        f'<label for="username">Username</label><input id="username" name="username" autocomplete="username" autofocus '
        f'value="{escape(form.get("username", ""))}">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password">'
        f"<button>Sign in</button></form>"
        f'<p class="small">This is a demo. Students: {escape(usernames)}. Password of each: {PASSWORD}</p>',
    )


def _return_page(response: SignedResponse, relay_state: str) -> str:
    return _page(
        "One moment",
        f'<form id="return" method="post" action="{escape(response.destination)}">'
        f'<input type="hidden" name="SAMLResponse" value="{escape(response.encoded)}">'
        f'<input type="hidden" name="RelayState" value="{escape(relay_state)}">'
        "<button>Continue</button></form>"
        '<script>document.getElementById("return").submit()</script>',
    )
