"""As in the platform, Celery's app is made whenever anything of the LMS is imported."""

from .celery import APP

__all__ = ["APP"]
