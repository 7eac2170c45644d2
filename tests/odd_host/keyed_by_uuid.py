"""Settings of a host whose users have UUIDs as primary keys."""

from __future__ import annotations

from tests.odd_host.settings import *  # noqa: F403

AUTH_USER_MODEL = "odd_host.KeyedByUUID"
