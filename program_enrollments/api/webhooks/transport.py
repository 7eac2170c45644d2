"""Transport: one signed request per message, as Standard Webhooks describes it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import requests
from django.utils.translation import gettext as _
from standardwebhooks import Webhook
from urllib3.exceptions import HTTPError

from program_enrollments.conf import get_setting
from program_enrollments.exceptions import WebhookFailed, WebhookRefused
from program_enrollments.public_http import is_public, open_session

MAX_URL = 1_000
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 15.0
GONE = 410
SECRET_BYTES = 32


def make_secret() -> str:
    """Return a new secret, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def check_url(*, url: str) -> None:
    """Raise WebhookRefused unless messages may be sent to `url`.

    It must be HTTPS, or go to a host of the setting `PRIVATE_WEBHOOK_HOSTS`. Where the host's name leads is checked at
    each delivery.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), None
    if not host or parts.scheme not in {"http", "https"} or any(letter.isspace() for letter in url):
        raise WebhookRefused(_("This is not a web address. It must look like https://sis.example.edu/hooks."))
    if len(url) > MAX_URL:
        raise WebhookRefused(_("The address is too long; at most 1,000 characters are possible."))
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused(_("The address must not contain a username or a password; the signature proves us."))
    if parts.scheme != "https" and host not in get_setting("PRIVATE_WEBHOOK_HOSTS"):
        raise WebhookRefused(_("The address must start with https://."))


def send(*, url: str, key: str, at: datetime, body: bytes, secret_texts: Sequence[str]) -> None:
    """Post `body` to `url`, signed with each of the secrets, and return if the answer is a 2xx.

    Takes about `TOTAL_SECONDS` at most. Redirects are not followed, since they could lead anywhere. The answer's body
    is not read. Raises WebhookFailed.
    """
    text = body.decode("utf-8")
    signatures = " ".join(Webhook(secret).sign(key, at, text) for secret in secret_texts)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "program-enrollments",
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signatures,
    }
    try:
        check_url(url=url)
        with (
            open_session(check=_check_address, seconds=TOTAL_SECONDS) as session,
            session.post(
                url,
                data=body,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            ) as response,
        ):
            status = response.status_code
    except WebhookRefused as error:
        raise WebhookFailed(error.detail, is_unreachable=True) from None
    except (requests.RequestException, HTTPError, OSError) as error:
        raise WebhookFailed(_explain(error), is_unreachable=True) from None
    if not requests.codes.ok <= status < requests.codes.multiple_choices:
        detail = (
            _("It redirects (status %(status)d). Enter the address where it ends.")
            if requests.codes.multiple_choices <= status < requests.codes.bad_request
            else _("It answers with status %(status)d.")
        )
        raise WebhookFailed(detail % {"status": status}, is_gone=status == GONE)


def _check_address(host: str, address: str) -> None:
    if host in get_setting("PRIVATE_WEBHOOK_HOSTS") or is_public(address):
        return
    raise WebhookRefused(_("The name leads into a private network. The platform's operator can allow it."))


def _explain(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return _("Its certificate is not valid.")
    if isinstance(error, requests.Timeout):
        return _("It does not answer in time.")
    return _("It cannot be reached (%(kind)s).") % {"kind": type(error).__name__}
