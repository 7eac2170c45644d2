"""Django's own settings that the app depends on: time zones, user model, cache, middleware."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, register
from django.db.models import IntegerField

from program_enrollments.checks.messages import error, warning
from program_enrollments.checks.settings import is_usable
from program_enrollments.conf import SETTING, get_setting

LOCAL_CACHES = ("LocMemCache", "DummyCache")
PROBLEM_MIDDLEWARE = "program_enrollments.rest_api.middleware.ProblemMiddleware"


@register()
def check_time_zones(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E009 if times are stored as local times."""
    if settings.USE_TZ:
        return []
    return [error(9, "USE_TZ is False.", "Set USE_TZ = True: the ledger's times would be ambiguous otherwise.")]


@register()
def check_user_model(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E014 if the primary key of users is not a whole number (ADR 0013)."""
    model = get_user_model()
    key: Any = model._meta.pk
    # With multi-table inheritance, the key is a link to the parent's key.
    while getattr(key, "remote_field", None) is not None:
        key = key.target_field
    if isinstance(key, IntegerField):
        return []
    hint = (
        "Give the user model a primary key that is a whole number, such as BigAutoField. Keep the present key as a "
        "unique field of its own if others need it."
    )
    message = (
        f"The primary key of users, {model._meta.label}.{model._meta.pk.name}, is a {type(key).__name__}: the ledger, "
        "the host's ports and the API identify users by whole numbers."
    )
    return [error(14, message, hint)]


@register(Tags.caches, deploy=True)
def check_cache(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W005 if the rate limit is counted in a cache that each process has to itself."""
    backend = str(settings.CACHES.get("default", {}).get("BACKEND", ""))
    if not is_usable("THROTTLE_RATE") or get_setting("THROTTLE_RATE") is None or not backend.endswith(LOCAL_CACHES):
        return []
    hint = f'Use a shared cache, such as Redis or Memcached, or set {SETTING}["THROTTLE_RATE"] to None.'
    return [
        warning(5, "Each process counts a client's requests by itself, so a client can exceed the rate limit.", hint)
    ]


@register()
def check_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W007 if the API's middleware is missing or comes after Django's own."""
    middleware = list(settings.MIDDLEWARE)
    first = next((number for number, path in enumerate(middleware) if path.startswith("django.")), None)
    if first is None or PROBLEM_MIDDLEWARE in middleware[:first]:
        return []
    hint = f"Put {PROBLEM_MIDDLEWARE} first in MIDDLEWARE."
    return [warning(7, "Under the API's root, Django answers a bad Host header with an HTML page.", hint)]
