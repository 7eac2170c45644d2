"""Request IDs: `X-Request-ID` as the caller sent it, or one made for the request.

It goes into the ledger and into the answer.
"""

from __future__ import annotations

import re
import uuid

HEADER = "X-Request-ID"
MAX_LENGTH = 128
USABLE = re.compile(rf"[\x21-\x7e](?:[\x20-\x7e]{{0,{MAX_LENGTH - 2}}}[\x21-\x7e])?")
"""Printable ASCII; it is echoed in a header and shown in the ledger."""


def choose_request_id(sent: str | None) -> str:
    """Return the caller's ID if it is 1 to 128 printable ASCII characters, else a new UUID."""
    if sent is not None and USABLE.fullmatch(sent):
        return sent
    return str(uuid.uuid4())
