"""System checks of the API's paths (docs/settings.rst)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  (Django's name for it)

from program_enrollments.conf import SETTING, get_setting

MIDDLEWARE = "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware"


@register(Tags.urls)
def check_compatible_root(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W040: the compatible root is answered by middleware."""
    if not isinstance(getattr(settings, SETTING, {}), dict):
        return []
    if not get_setting("COMPATIBLE_ROOT") or MIDDLEWARE in settings.MIDDLEWARE:
        return []
    hint = f"Put {MIDDLEWARE} first in MIDDLEWARE. The Open edX plug-in does that by itself."
    message = f'{SETTING}["COMPATIBLE_ROOT"] is on, but nothing of this app answers at api/program_enrollments/.'
    return [Warning(message, hint=hint, id="university_enrollments.W040")]
