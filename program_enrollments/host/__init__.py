"""The host: the LMS this app is installed in, reached through ports only.

`get_host()` gives the adapter named by the setting `HOST`, with its answers checked. What an adapter must offer is in
`ports`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from program_enrollments.conf import get_setting
from program_enrollments.host.checked_host import CheckedHost
from program_enrollments.host.ports import Host


def get_host() -> CheckedHost:
    """Return the host. Raises ImproperlyConfigured if the setting `HOST` names no adapter."""
    return CheckedHost(get_adapter())


def get_adapter() -> Host:
    """Return the adapter itself, its answers unchecked. Raises ImproperlyConfigured as above."""
    path = get_setting("HOST")
    if not path:
        raise ImproperlyConfigured(
            'PROGRAM_ENROLLMENTS["HOST"] must be the dotted path of a host adapter class, such as "my_lms.host.MyHost".'
        )
    return _load(path)


@lru_cache(maxsize=8)
def _load(path: str) -> Host:
    return cast(Host, import_string(path)())
