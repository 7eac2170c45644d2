"""The API's description: OpenAPI 3.1, read from `openapi.yaml` beside this module (ADR 0025)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

DOCUMENT = Path(__file__).with_name("openapi.yaml")
MOUNT = "/api/program_enrollments"


@lru_cache(maxsize=4)
def read_document(*, mount: str = MOUNT) -> dict[str, Any]:
    """Return the OpenAPI document of the API mounted at the path `mount` (without a slash at its end).

    It is read once per process. Do not change it.
    """
    document: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return {**document, "servers": [{"url": mount}]}
