"""Where the API answers, and whose tokens it takes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from program_enrollments.checks.messages import warning
from program_enrollments.checks.settings import is_usable
from program_enrollments.conf import SETTING, get_setting

COMPATIBLE_MIDDLEWARE = "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware"
JWT_CLASS = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"


@register(Tags.urls)
def check_compatible_root(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W040 if the compatible root is on and nothing answers there."""
    if get_setting("COMPATIBLE_ROOT") is not True or COMPATIBLE_MIDDLEWARE in settings.MIDDLEWARE:
        return []
    hint = f"Put {COMPATIBLE_MIDDLEWARE} first in MIDDLEWARE. The Open edX plug-in does that by itself."
    message = f'{SETTING}["COMPATIBLE_ROOT"] is on, but nothing of this app answers at api/program_enrollments/.'
    return [warning(40, message, hint)]


@register(Tags.security)
def check_json_web_tokens(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W041 if Open edX's JSON web tokens are taken without a key to verify them.

    edx-drf-extensions 10 takes a token with any signature, or none, if it has no public keys. A warning only: images
    are built with settings that have no keys yet.
    """
    if not is_usable("AUTHENTICATION_CLASSES"):
        return []
    classes = get_setting("AUTHENTICATION_CLASSES")
    if classes is None:
        classes = getattr(settings, "REST_FRAMEWORK", {}).get("DEFAULT_AUTHENTICATION_CLASSES", [])
    if JWT_CLASS not in classes or getattr(settings, "JWT_AUTH", {}).get("JWT_PUBLIC_SIGNING_JWK_SET"):
        return []
    hint = "Set JWT_AUTH['JWT_PUBLIC_SIGNING_JWK_SET']: without keys the signature of no token is verified."
    return [warning(41, "The API takes JSON web tokens that anybody can make.", hint)]
