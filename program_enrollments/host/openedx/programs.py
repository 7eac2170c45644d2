"""The programs that the platform keeps in its cache, in the shape of Course Discovery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.module_loading import import_string

from program_enrollments.host.openedx.platform import get_model

GET_PROGRAMS = "openedx.core.djangoapps.catalog.utils.get_programs"


def read_cached_programs() -> Iterator[dict[str, Any]]:
    """Yield the programs of all sites, each once.

    A cache that was flushed has none until `cache_programs` has run again.
    """
    get_programs = import_string(GET_PROGRAMS)
    seen = set()
    for site in get_model("sites.Site").objects.order_by("pk"):
        for program in get_programs(site=site):
            if program.get("uuid") not in seen:
                seen.add(program.get("uuid"))
                yield program
