"""The platform's Celery app: settings by their old names, without a namespace."""

from celery import Celery

APP = Celery("proj")
APP.config_from_object("django.conf:settings")
APP.autodiscover_tasks()
