"""HTTP as a gateway speaks it: no redirects are followed, and nothing is trusted about the answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gateway_contract.findings import Mismatch

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105  (a path)
DEFAULT_ROOT = "/api/program_enrollments/v1/"
MAX_SHOWN = 200
"""Characters of a body that a finding shows at most."""

Params = Mapping[str, str]


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer of any status."""

    request: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON. Raises Mismatch."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Mismatch(f"{self.told()} is no JSON: {self.shown()}") from None

    def told(self) -> str:
        """Return the request and the status, for a finding."""
        return f"{self.request}: the answer {self.status}"

    def shown(self) -> str:
        """Return the beginning of the body."""
        text = " ".join(self.body.decode(errors="replace").split())
        return text[:MAX_SHOWN] or "(nothing)"

    def must_be(self, *statuses: int) -> Answer:
        """Return the answer itself if it has one of `statuses`. Raises Mismatch."""
        if self.status not in statuses:
            expected = " or ".join(map(str, statuses))
            raise Mismatch(f"{self.told()} should be {expected}: {self.shown()}")
        return self


class Connection:
    """An installation, and the token of the client that looks at it."""

    def __init__(self, *, url: str, root: str = DEFAULT_ROOT, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self.root = f"/{root.strip('/')}/"
        self.timeout = timeout
        self.token = ""
        self._opener = build_opener(_NoRedirects())

    def path(self, path: str, params: Params | None = None) -> str:
        """Return the path below the API's root, with its query."""
        return self.root + path + (f"?{urlencode(params)}" if params else "")

    def get(self, path: str, params: Params | None = None, *, scheme: str = "JWT") -> Answer:
        """GET a path below the root; `scheme` is the word before the token, "" sends none."""
        return self.send("GET", self.path(path, params), scheme=scheme)

    def write(self, method: str, path: str, rows: Any, params: Params | None = None) -> Answer:
        """Send `rows` as JSON to a path below the root."""
        return self.send(method, self.path(path, params), body=json.dumps(rows).encode(), kind="application/json")

    def upload(self, path: str, text: str, params: Params) -> Answer:
        """Send a CSV file to a path below the root."""
        return self.send("POST", self.path(path, params), body=text.encode(), kind="text/csv")

    def send(self, method: str, path: str, *, body: bytes | None = None, kind: str = "", scheme: str = "JWT") -> Answer:
        """Send a request to a path of the host, or to an address that the host named. Raises Mismatch."""
        address = path if urlsplit(path).scheme else self.url + path
        if not address.startswith(f"{self.url}/"):
            # The token must not go to anybody else.
            raise Mismatch(f"The answer names {address}, which is not at {self.url}.")
        headers = {"Accept": "application/json", "X-Request-ID": str(uuid.uuid4())}
        if kind:
            headers["Content-Type"] = kind
        if scheme and self.token:
            headers["Authorization"] = f"{scheme} {self.token}"
        request = Request(address, data=body, headers=headers, method=method)  # noqa: S310  (an operator's address)
        told = f"{method} {address.removeprefix(self.url)}"
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                return Answer(told, answer.status, dict(answer.headers), answer.read())
        except HTTPError as error:
            with error:
                return Answer(told, error.code, dict(error.headers), error.read())
        except (OSError, HTTPException) as error:
            raise Mismatch(f"{told}: no answer ({error}).") from None

    def request_token(self, *, client: str, secret: str) -> Answer:
        """Ask for a token as gateways do."""
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": secret,
            "token_type": "jwt",
        }
        kind = "application/x-www-form-urlencoded"
        return self.send("POST", TOKEN_PATH, body=urlencode(form).encode(), kind=kind, scheme="")
