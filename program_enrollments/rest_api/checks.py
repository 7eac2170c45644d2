"""System checks of the API's paths (docs/settings.rst)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  (Django's name for it)

from program_enrollments.conf import SETTING, get_setting

MIDDLEWARE = "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware"
JWT_CLASS = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"


@register(Tags.urls)
def check_compatible_root(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W040: the compatible root is answered by middleware."""
    if not get_setting("COMPATIBLE_ROOT") or MIDDLEWARE in settings.MIDDLEWARE:
        return []
    hint = f"Put {MIDDLEWARE} first in MIDDLEWARE. The Open edX plug-in does that by itself."
    message = f'{SETTING}["COMPATIBLE_ROOT"] is on, but nothing of this app answers at api/program_enrollments/.'
    return [Warning(message, hint=hint, id="university_enrollments.W040")]


@register(Tags.security)
def check_json_web_tokens(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W041: the signatures of JSON web tokens are verified.

    Without public keys, edx-drf-extensions 10 takes a token with any signature, or none. A warning only: images are
    built with settings that have no keys yet.
    """
    classes = get_setting("AUTHENTICATION_CLASSES")
    if classes is None:
        classes = getattr(settings, "REST_FRAMEWORK", {}).get("DEFAULT_AUTHENTICATION_CLASSES", [])
    if JWT_CLASS not in classes or getattr(settings, "JWT_AUTH", {}).get("JWT_PUBLIC_SIGNING_JWK_SET"):
        return []
    hint = "Set JWT_AUTH['JWT_PUBLIC_SIGNING_JWK_SET']: without keys the signature of no token is verified."
    message = "The API takes JSON web tokens that anybody has made."
    return [Warning(message, hint=hint, id="university_enrollments.W041")]
