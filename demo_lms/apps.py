"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoLmsConfig(AppConfig):
    """The demo LMS: accounts, course runs, and what learners do in them."""

    name = "demo_lms"
    verbose_name = _("Demo LMS")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers that keep e-mail addresses in step with the accounts."""
        from demo_lms.accounts import receivers  # noqa: F401  (importing it is what connects them)
