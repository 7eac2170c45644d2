"""The host adapter: it can be imported, made without arguments, and called as the app calls it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.exceptions import ImproperlyConfigured

from program_enrollments.checks.messages import error
from program_enrollments.checks.settings import is_text
from program_enrollments.conf import SETTING, get_setting
from program_enrollments.host import get_adapter, ports


@register()
def check_host(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E001 to E003: the host adapter is not named, cannot be created, or lacks a port or a method."""
    path = get_setting("HOST") if isinstance(getattr(settings, SETTING, {}), dict) else None
    if not is_text(path):
        hint = "Name the class of your host adapter, such as my_lms.enrollment_host.MyHost (docs/settings.rst, HOST)."
        return [error(1, f'{SETTING}["HOST"] is missing.', hint)]
    try:
        host = get_adapter()
    except (ImportError, ImproperlyConfigured) as failure:
        return [error(2, f"The host adapter {path} cannot be imported: {failure}", "Correct the path, or the module.")]
    # The class may raise anything, and the operator has to see it now rather than at the first sign-in.
    except Exception as failure:  # noqa: BLE001
        hint = "The app creates one instance per process, without arguments."
        return [error(2, f"The host adapter {path} cannot be created: {type(failure).__name__}: {failure}", hint)]
    return [
        error(3, f"The host adapter {path} {lack}.", "program_enrollments/host/ports.py describes every port.")
        for lack in _lacks(host)
    ]


def _lacks(host: Any) -> Iterator[str]:
    """Yield a clause for each port and method that is missing or cannot be called as the app calls it."""
    for port_name, protocol in get_type_hints(ports.Host).items():
        port = getattr(host, port_name, None)
        if port is None:
            yield f"has no port “{port_name}”"
        else:
            yield from _missing_methods(port, protocol, f"{port_name}.")
    for port_name, protocol in get_type_hints(ports.OptionalPorts).items():
        port = getattr(host, port_name, None)
        if port is not None:
            yield from _missing_methods(port, protocol, f"{port_name}.")
    yield from _missing_methods(host, ports.Host, "")


def _missing_methods(port: Any, protocol: type, prefix: str) -> Iterator[str]:
    for name, wanted in vars(protocol).items():
        if name.startswith("_") or not inspect.isfunction(wanted):
            continue
        method = getattr(port, name, None)
        if not callable(method):
            yield f"has no method “{prefix}{name}”"
            continue
        names = [parameter for parameter in inspect.signature(wanted).parameters if parameter != "self"]
        try:
            inspect.signature(method).bind(**dict.fromkeys(names))
        except TypeError as failure:
            yield f"cannot be called as “{prefix}{name}({', '.join(names)})”: {failure}"
