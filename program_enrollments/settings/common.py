"""Defaults on Open edX, set before the operator's own values are read.

Many settings of the platform are not final at this point: nothing here reads them.
"""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    "HOST": "program_enrollments.host.openedx.OpenEdxHost",
    # The classes of the platform's own program API: registrar gateways send JWTs, older clients opaque tokens.
    "AUTHENTICATION_CLASSES": [
        "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication",
        "openedx.core.lib.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # The platform's workers listen to its default queue, to which messages go if no queue is named.
    "JOB_ENGINE": "celery",
}
"""Values that differ from the app's own defaults (`program_enrollments.conf`)."""

MIDDLEWARE = [
    "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware",
    "program_enrollments.rest_api.middleware.ProblemMiddleware",
]
"""Comes first, so that what other middleware refuses under the API's roots is a problem document too."""

PERIODIC_WORK = {"task": "program_enrollments.do_periodic_work", "schedule": 60.0}
"""For beat, where somebody runs one: Tutor does not (docs/openedx.rst)."""

SOCIAL_USER = "social_core.pipeline.social_auth.social_user"
HOLDER_STEP = "program_enrollments.saml.pipeline.confirm_holder"
"""Comes right behind `SOCIAL_USER`, which opens whose account a student ID opened once (docs/sso.rst)."""


def plugin_settings(settings: Any) -> None:
    """Fill in what the operator has left out.

    Values of `PROGRAM_ENROLLMENTS`, middleware, beat's entry, and the step of social-auth's pipeline where the pipeline
    is a setting.
    """
    configured = getattr(settings, "PROGRAM_ENROLLMENTS", {})
    # A value that is no dict is the operator's mistake: the system check names it.
    if isinstance(configured, dict):
        settings.PROGRAM_ENROLLMENTS = {**DEFAULTS, **configured}
    present = list(settings.MIDDLEWARE)
    settings.MIDDLEWARE = [*(path for path in MIDDLEWARE if path not in present), *present]
    schedule = getattr(settings, "CELERYBEAT_SCHEDULE", None)
    if isinstance(schedule, dict) and PERIODIC_WORK["task"] not in {entry.get("task") for entry in schedule.values()}:
        settings.CELERYBEAT_SCHEDULE = {**schedule, "university-enrollments": PERIODIC_WORK}
    pipeline = getattr(settings, "SOCIAL_AUTH_PIPELINE", None)
    if isinstance(pipeline, (list, tuple)) and SOCIAL_USER in pipeline and HOLDER_STEP not in pipeline:
        behind = pipeline.index(SOCIAL_USER) + 1
        settings.SOCIAL_AUTH_PIPELINE = [*pipeline[:behind], HOLDER_STEP, *pipeline[behind:]]
