"""What feeds need: a storage of their own, and somebody who looks at it (docs/feeds.rst)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.db import connections
from django.utils import timezone

from program_enrollments import api
from program_enrollments.checks.messages import error, warning
from program_enrollments.conf import SETTING, get_setting


@register(Tags.files)
def check_feed_storage(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E050 if the storage that the settings name is missing, and E051 if it is that of jobs."""
    configured = getattr(settings, SETTING, {})
    alias = get_setting("FEED_STORAGE")
    if alias == get_setting("FILE_STORAGE"):
        hint = f'Give {SETTING}["FEED_STORAGE"] an alias of its own in STORAGES.'
        return [error(51, "FEED_STORAGE is FILE_STORAGE: senders would reach the files that jobs read.", hint)]
    if not isinstance(configured, dict) or "FEED_STORAGE" not in configured or api.has_feed_storage():
        return []
    hint = f'Add "{alias}" to STORAGES, or take FEED_STORAGE out of {SETTING}.'
    return [error(50, f'STORAGES has no alias "{alias}", which FEED_STORAGE names.', hint)]


@register(deploy=True)
def check_site_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W052 if mails to schools' contacts have no links."""
    if get_setting("SITE_URL"):
        return []
    hint = f'Set {SETTING}["SITE_URL"] to the site\'s address, such as "https://lms.example".'
    return [warning(52, "SITE_URL is not set: mails to schools' contacts have no links.", hint)]


@register(Tags.database)
def check_feeds(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return W050 if there are feeds and no storage, and W051 if nobody looks at it."""
    alias = api.get_database_alias()
    if alias not in (databases or ()) or not api.has_feed_table(connections[alias]) or not api.has_active_feeds():
        return []
    if not api.has_feed_storage():
        hint = f'Add "{get_setting("FEED_STORAGE")}" to STORAGES (docs/feeds.rst), or switch the feeds off.'
        return [warning(50, "Schools have feeds, and there is no storage on which files could be dropped.", hint)]
    if not api.count_unwatched_schools(now=timezone.now()):
        return []
    hint = "Run `manage.py run_jobs`, Celery workers and beat, or `manage.py collect_feeds` from cron."
    return [warning(51, "Nobody has looked for files of feeds for a quarter of an hour.", hint)]
