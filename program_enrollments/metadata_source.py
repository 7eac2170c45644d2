"""Metadata over HTTPS: fetched with limits, and from public addresses only (docs/sso.rst)."""

from __future__ import annotations

import time
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from program_enrollments.conf import get_setting
from program_enrollments.exceptions import MetadataUnreachable, MetadataUnusable
from program_enrollments.public_http import is_public, open_session

MAX_METADATA_BYTES = 10 * 1024 * 1024
"""One university's metadata has a few kilobytes; only a whole federation's is larger than this."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 30.0
MAX_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


def check_metadata_url(*, url: str) -> None:
    """Raise MetadataUnusable unless metadata may be fetched from `url`.

    It must be HTTPS, or HTTP on this machine or in DEBUG.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if not host or parts.scheme not in {"http", "https"} or any(letter.isspace() for letter in url):
        raise MetadataUnusable(_("The metadata URL is not a web address."))
    if parts.username is not None or parts.password is not None:
        raise MetadataUnusable(_("The metadata URL must not contain a username or a password."))
    if parts.scheme == "http" and host not in LOOPBACK and not settings.DEBUG:
        raise MetadataUnusable(_("The metadata URL must start with https://, so that nobody can change what is read."))


def fetch_metadata(*, url: str) -> bytes:
    """Return the document at `url`, at most `MAX_METADATA_BYTES` long, within about 30 seconds.

    Redirects are followed on the same host only. Proxies are not used, because the addresses of each host are checked.
    Raises MetadataUnreachable if another try may succeed, MetadataUnusable if a person has to act.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    with open_session(check=_check_address, seconds=TOTAL_SECONDS) as session:
        for _attempt in range(MAX_REDIRECTS + 1):
            check_metadata_url(url=url)
            try:
                with session.get(
                    url,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    headers={"Accept": "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1"},
                ) as response:
                    if response.is_redirect:
                        url = _redirected(url, response.headers["Location"])
                        continue
                    _check_status(response.status_code)
                    return _read(response, deadline)
            except (requests.RequestException, HTTPError, OSError) as error:
                raise MetadataUnreachable(
                    _("The metadata cannot be fetched ({kind}). It is tried again at the next run.").format(
                        kind=type(error).__name__
                    )
                ) from None
    raise MetadataUnusable(_("The metadata URL redirects too often. Enter the address where it ends."))


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).hostname != urlsplit(url).hostname:
        raise MetadataUnusable(_("The metadata URL redirects to another host. If that is right, enter its address."))
    return target


def _check_status(status: int) -> None:
    if status in WORTH_ANOTHER_TRY:
        raise MetadataUnreachable(
            _("The metadata's server answered {status}. It is tried again at the next run.").format(status=status)
        )
    if status != requests.codes.ok:
        raise MetadataUnusable(
            _("The metadata's server answered {status}. Get the present address from the university.").format(
                status=status
            )
        )


def _read(response: requests.Response, deadline: float) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > MAX_METADATA_BYTES:
            raise MetadataUnusable(_("This is too large. Ask for the metadata of the one identity provider alone."))
    if time.monotonic() >= deadline:
        # A connection that was broken off can look like the end of the document.
        raise MetadataUnreachable(_("The metadata's server is too slow. It is tried again at the next run."))
    return bytes(content)


def _check_address(host: str, address: str) -> None:
    """Refuse an address in a private network, unless the settings name the host."""
    if settings.DEBUG or host in get_setting("PRIVATE_METADATA_HOSTS") or is_public(address):
        return
    raise MetadataUnusable(
        _(
            "The metadata's server has an address in a private network. If that is right, add its name to the setting "
            "PRIVATE_METADATA_HOSTS."
        )
    )
