"""Access: the API's authentication classes, the universities' sign-on, and clients without a grant."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Tags, register
from django.db import connections, router
from django.utils.module_loading import import_string
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.checks.databases import models_of
from program_enrollments.checks.messages import APP, error, warning
from program_enrollments.checks.settings import is_usable
from program_enrollments.conf import SETTING, get_setting


@register()
def check_authentication(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E008 and W002 for the API's authentication classes, and W001 for the universities' sign-on."""
    problems: list[CheckMessage] = []
    paths = get_setting("AUTHENTICATION_CLASSES") if is_usable("AUTHENTICATION_CLASSES") else None
    for path in paths or ():
        problem = _unusable_authentication(path)
        if problem:
            hint = "Give the dotted path of a subclass of rest_framework.authentication.BaseAuthentication."
            problems.append(error(8, f'{SETTING}["AUTHENTICATION_CLASSES"]: {path} {problem}.', hint))
    framework = getattr(settings, "REST_FRAMEWORK", {})
    if paths == [] or (paths is None and framework.get("DEFAULT_AUTHENTICATION_CLASSES") in ([], ())):
        hint = f'Name classes in {SETTING}["AUTHENTICATION_CLASSES"]; without any, the API answers every request 401.'
        problems.append(warning(2, "No REST framework authentication classes let anybody in.", hint))
    if is_usable("SAML_BACKENDS") and not _backend_names() & set(get_setting("SAML_BACKENDS")):
        hint = (
            "Add the SAML backend to AUTHENTICATION_BACKENDS, or its name to this setting. Until then no sign-on "
            "proves a student ID, and learners are linked by confirmed e-mail addresses alone."
        )
        problems.append(warning(1, f'No authentication backend has a name in {SETTING}["SAML_BACKENDS"].', hint))
    return problems


def _unusable_authentication(path: str) -> str:
    try:
        found = import_string(path)
    except ImportError:
        return "cannot be imported"
    is_authentication = inspect.isclass(found) and callable(getattr(found, "authenticate", None))
    return "" if is_authentication else "is no authentication class"


def _backend_names() -> set[str]:
    names = set()
    for path in settings.AUTHENTICATION_BACKENDS:
        try:
            names.add(getattr(import_string(path), "name", ""))
        except ImportError:
            # Django reports that backend's path when somebody signs in; it does not concern this app.
            continue
    return names


@register(Tags.database)
def check_staff_clients(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return W006 if staff users own API clients but have no grant, since `is_staff` gives no access."""
    alias = router.db_for_read(get_user_model()) or "default"
    # `migrate` runs the checks before it creates the tables.
    if alias not in (databases or ()) or not _has_tables(alias):
        return []
    count = len(api.fetch_staff_clients())
    if not count:
        return []
    hint = (
        "is_staff gives no access. See who they are with `manage.py grant_all_schools --staff-clients --dry-run`; "
        "without --dry-run it lets them act for all schools. Or give them grants on their schools."
    )
    message = ngettext(
        "%d staff user owns an API client, but has no grant: the API shows it nothing.",
        "%d staff users own API clients, but have no grants: the API shows them nothing.",
        count,
    )
    return [warning(6, message % count, hint)]


def _has_tables(alias: str) -> bool:
    """Return whether a database has every table that `api.fetch_staff_clients` reads."""
    models = [model for app in ("auth", "oauth2_provider", "authtoken", APP) for model in models_of(app)]
    tables = {model._meta.db_table for model in [get_user_model(), *models]}
    return tables <= set(connections[alias].introspection.table_names())
