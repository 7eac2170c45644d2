"""The Django app, which is an Open edX plug-in too.

Open edX imports this module while it builds its settings: nothing at the top may need settings, models or DRF, or the
plug-in is left out with one line in the log.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from program_enrollments.conf import get_setting


class ProgramEnrollmentsConfig(AppConfig):
    """Label `university_enrollments`, unlike the package.

    Open edX ships an app labelled `program_enrollments`, and both must fit in one database.
    """

    name = "program_enrollments"
    label = "university_enrollments"
    verbose_name = _("University enrollments")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: dict[str, Any] = {
        "url_config": {
            "lms.djangoapp": {
                "namespace": "university_enrollments",
                "regex": r"^api/university_enrollments/",
                "relative_path": "rest_api.urls",
            }
        },
        "settings_config": {
            "lms.djangoapp": {
                "common": {"relative_path": "settings.common"},
                "production": {"relative_path": "settings.production"},
                "test": {"relative_path": "settings.test"},
            }
        },
    }
    """What `edx_django_utils.plugins` reads. Other hosts ignore it."""

    def ready(self) -> None:
        """Connect the receivers and register the system checks.

        Raises ImproperlyConfigured without social-auth: students sign on with its identities, and Django's own message
        would not say what to do.
        """
        if not apps.is_installed("social_django"):
            raise ImproperlyConfigured(
                'Add "social_django" to INSTALLED_APPS and run migrate: program_enrollments links learners by the '
                "identities it keeps."
            )
        from program_enrollments import checks, receivers  # noqa: F401  (importing checks is what registers them)
        from program_enrollments.checks import feeds as feed_checks  # noqa: F401  (the same)
        from program_enrollments.checks import jobs as job_checks  # noqa: F401  (the same)
        from program_enrollments.saml import checks as sign_on_checks  # noqa: F401  (the same)

        receivers.connect_receivers()
        if find_spec("openedx_events") is not None:
            from program_enrollments import platform_events

            platform_events.connect()
        if get_setting("JOB_ENGINE") == "celery" and find_spec("celery") is not None:
            from program_enrollments import tasks

            tasks.connect()
