"""Settings of a host with a second database; the environment names the router."""

from __future__ import annotations

import os

from tests.odd_host.settings import *  # noqa: F403

DATABASE_ROUTERS = [f"tests.odd_host.routers.{os.environ['ROUTER']}"]
