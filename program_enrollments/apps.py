"""The Django app."""

from __future__ import annotations

from importlib.util import find_spec

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
        from program_enrollments.checks import jobs as job_checks  # noqa: F401  (the same)
        from program_enrollments.saml import checks as sign_on_checks  # noqa: F401  (the same)

        receivers.connect_receivers()
        if get_setting("JOB_ENGINE") == "celery" and find_spec("celery") is not None:
            from program_enrollments import tasks

            tasks.connect()
