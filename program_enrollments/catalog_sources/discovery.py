"""Course Discovery over HTTP: its programs, page after page, with a token of the LMS.

The token is sent to the address in the settings and nowhere else: redirects are not followed, and only the query of a
page's `next` is used, after its host has been compared (docs/catalog.rst).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import requests
from edx_rest_api_client.client import OAuthAPIClient
from urllib3.exceptions import HTTPError

from program_enrollments.catalog_sources.discovery_shape import Schools, read_programs
from program_enrollments.catalog_sources.value_checks import show
from program_enrollments.catalog_sources.values import CatalogProblem, CatalogProgram
from program_enrollments.conf import get_setting
from program_enrollments.exceptions import CatalogUnavailable

SETTING = 'PROGRAM_ENROLLMENTS["DISCOVERY"]'
REQUIRED = ("URL", "CLIENT_ID", "CLIENT_SECRET")
PROGRAMS = "api/v1/programs/"
MAX_PAGES = 10_000
MAX_PAGE_BYTES = 256 * 1024 * 1024
MAX_PAUSE_SECONDS = 60.0
WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Addresses of Discovery and of the LMS that issues its tokens, with time-outs and retries.

    See docs/catalog.rst, Settings.
    """

    url: str
    lms_url: str
    client_id: str
    client_secret: str = field(repr=False)
    types: tuple[str, ...]
    timeout_seconds: float
    retries: int
    backoff_seconds: float
    schools: Schools


def read_connection() -> Connection:
    """Return the connection of the settings. Raises CatalogUnavailable for missing or unusable ones."""
    configured: Mapping[str, Any] = get_setting("DISCOVERY") or {}
    lms_url = configured.get("TOKEN_URL") or configured.get("LMS_URL")
    missing = [name for name in REQUIRED if not configured.get(name)] + ([] if lms_url else ["LMS_URL"])
    if missing:
        raise CatalogUnavailable(f"{SETTING} lacks {', '.join(missing)}. See docs/catalog.rst.")
    url = str(configured["URL"])
    if urlsplit(url).scheme not in DEFAULT_PORTS or not urlsplit(url).hostname:
        raise CatalogUnavailable(f'{SETTING}["URL"] must start with https:// or http:// and a host.')
    types = configured.get("TYPES", ["masters"])
    try:
        return Connection(
            url=url,
            lms_url=str(lms_url),
            client_id=str(configured["CLIENT_ID"]),
            client_secret=str(configured["CLIENT_SECRET"]),
            types=(types,) if isinstance(types, str) else tuple(map(str, types)),
            timeout_seconds=float(configured.get("TIMEOUT_SECONDS", 60)),
            retries=int(configured.get("RETRIES", 3)),
            backoff_seconds=float(configured.get("BACKOFF_SECONDS", 1)),
            schools=dict(configured.get("SCHOOLS", {})),
        )
    except (TypeError, ValueError):
        raise CatalogUnavailable(f"{SETTING} has a value of the wrong kind. See docs/catalog.rst.") from None


class Passing(Exception):
    """A failure that another try may overcome.

    The message describes the failure; `pause` is how long the server asks to wait.
    """

    def __init__(self, message: str, *, pause: float = 0.0) -> None:
        self.pause = pause
        super().__init__(message)


def fetch_programs(connection: Connection) -> Iterator[CatalogProgram | CatalogProblem]:
    """Yield every active program of the connection's types.

    A page is requested when the one before is used up. A failing request is retried up to `retries` times, with
    growing pauses. Raises CatalogUnavailable if Discovery or the LMS still fails, refuses the request, or answers
    nonsense: no JSON, or a `next` that leads to another host or in a circle.
    """
    base = urljoin(connection.url.rstrip("/") + "/", PROGRAMS)
    query = urlencode({"status": "active", "types": ",".join(connection.types)})
    seen = {query}
    with OAuthAPIClient(
        connection.lms_url,
        connection.client_id,
        connection.client_secret,
        timeout=(connection.timeout_seconds, connection.timeout_seconds),
    ) as session:
        for _ in range(MAX_PAGES):
            page = _fetch_page(session, f"{base}?{query}", connection)
            results, following = _results_and_next(page)
            yield from read_programs(results, schools=connection.schools)
            if not following:
                return
            query = _query_of_next(following, base=base)
            if query in seen:
                raise CatalogUnavailable("Discovery's pages lead in a circle: next names a page that was read before.")
            seen.add(query)
    raise CatalogUnavailable(f"Discovery's pages don't end: {MAX_PAGES} were read.")


def _fetch_page(session: OAuthAPIClient, url: str, connection: Connection) -> Any:
    for attempt in range(connection.retries + 1):
        try:
            return _try_page(session, url, connection)
        except Passing as failure:
            if attempt == connection.retries:
                tries = "once" if attempt == 0 else f"{attempt + 1} times"
                raise CatalogUnavailable(f"{failure} Asked {tries}.") from None
            growing = connection.backoff_seconds * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311  (spreads retries)
            time.sleep(min(MAX_PAUSE_SECONDS, max(growing, failure.pause)))
    raise AssertionError("unreachable: the last try returns or raises")


def _try_page(session: OAuthAPIClient, url: str, connection: Connection) -> Any:
    """Return the page's JSON. Raises Passing, or CatalogUnavailable if another try would not help.

    Messages of exceptions are not passed on, because they can contain anything that the server sent.
    """
    _ensure_token(session)
    deadline = time.monotonic() + connection.timeout_seconds
    try:
        with session.get(
            url,
            headers={"Accept": "application/json"},
            timeout=connection.timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            _check_status(response)
            body = _read_body(response, deadline=deadline)
    except requests.Timeout:
        raise Passing(f"Discovery did not answer within {connection.timeout_seconds:g} seconds.") from None
    except (requests.RequestException, HTTPError) as error:
        raise Passing(f"The connection to Discovery failed ({type(error).__name__}).") from None
    try:
        return json.loads(body)
    except ValueError:
        raise Passing("Discovery's answer is not JSON, or breaks off.") from None
    except RecursionError:
        raise CatalogUnavailable("Discovery's answer is nested too deep.") from None


def _ensure_token(session: OAuthAPIClient) -> None:
    """Let the session fetch its token, unless it has a valid one. Raises as `_try_page` does."""
    try:
        session.get_jwt_access_token()
    except requests.HTTPError as error:
        status = error.response.status_code
        message = f"The LMS gave no token: it answered {status}."
        if status in WORTH_ANOTHER_TRY:
            raise Passing(message) from None
        raise CatalogUnavailable(f"{message} Check CLIENT_ID and CLIENT_SECRET.") from None
    except requests.RequestException as error:
        raise Passing(f"The LMS gave no token: the request failed ({type(error).__name__}).") from None
    except (AttributeError, OverflowError, TypeError, ValueError):
        # The client assumes that the JSON is an object with a number of seconds.
        raise CatalogUnavailable("The LMS gave no token: its answer is not one. Check LMS_URL.") from None


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in WORTH_ANOTHER_TRY:
        raise Passing(f"Discovery answered {status}.", pause=_pause_asked(response))
    if 300 <= status < 400:
        raise CatalogUnavailable(
            f"Discovery answered {status}, a redirect, which is not followed: the token must not go elsewhere. "
            "Set URL to the address it leads to."
        )
    if status in {401, 403}:
        raise CatalogUnavailable(f"Discovery answered {status}: this client's user may not read its programs.")
    if status != 200:
        raise CatalogUnavailable(f"Discovery answered {status}. Check URL.")


def _pause_asked(response: requests.Response) -> float:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 0.0


def _read_body(response: requests.Response, *, deadline: float) -> bytes:
    """Read the bytes as they arrive, until the deadline.

    A server that sends them one by one cannot keep the command busy forever.
    """
    body = bytearray()
    # Before version 2.1, urllib3 can only wait for a whole block.
    read = getattr(response.raw, "read1", response.raw.read)
    while chunk := read(64 * 1024, decode_content=True):
        body += chunk
        if time.monotonic() > deadline:
            raise requests.Timeout
        if len(body) > MAX_PAGE_BYTES:
            raise CatalogUnavailable(f"Discovery's answer is larger than {MAX_PAGE_BYTES // 1024**2} MB.")
    return bytes(body)


def _results_and_next(page: object) -> tuple[list[object], str | None]:
    if isinstance(page, Mapping):
        results, following = page.get("results"), page.get("next")
        if isinstance(results, list) and (following is None or isinstance(following, str)):
            return results, following
    raise CatalogUnavailable("Discovery's answer is not a page of programs. Check URL.")


def _query_of_next(following: str, *, base: str) -> str:
    """Return the query of a page's `next`. Raises CatalogUnavailable if it names another host."""
    try:
        there, here = urlsplit(urljoin(base, following)), urlsplit(base)
        same = _origin(there) == _origin(here)
    except ValueError:
        raise CatalogUnavailable(f"Discovery's next is not an address: {show(following)}.") from None
    if not same:
        other = show(f"{there.scheme}://{there.hostname}")
        raise CatalogUnavailable(
            f"Discovery's next leads to another host, {other}, where the token must not go. If that is Discovery "
            "itself, set URL to it, or have the proxy before it pass on the scheme and host that it is asked by."
        )
    return there.query


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or DEFAULT_PORTS.get(url.scheme)
