"""The values of the app's own settings, each held against one rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from math import inf
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from program_enrollments.checks.messages import error
from program_enrollments.conf import DEFAULTS, SETTING, get_setting


def is_text(value: Any) -> bool:
    """Return whether a value is a string that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(is_text(item) for item in value)


def _at_least(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_seconds(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < inf)


def _is_rate(value: Any) -> bool:
    return value is None or (
        isinstance(value, str) and re.fullmatch(r"\s*[0-9]+\s*/\s*[smhdSMHD]\w*\s*", value) is not None
    )


Rule = tuple[Callable[[Any], bool], str]
RULES: dict[str, Rule] = {
    "HOST": (lambda value: value is None or is_text(value), "the dotted path of a class"),
    "COMPATIBLE_ROOT": (lambda value: isinstance(value, bool), "True or False"),
    "SAML_BACKENDS": (_is_list_of_text, "a list of names of social-auth backends"),
    "COURSE_MODE": (is_text, "the name of a course mode"),
    "UPGRADABLE_MODES": (_is_list_of_text, "a list of names of course modes"),
    "MAX_BODY_BYTES": (_at_least(1), "a whole number of bytes, 1 or more"),
    "MAX_ROWS": (_at_least(1), "a whole number, 1 or more"),
    "CHUNK_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "PAGE_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "MAX_PAGE_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "MAX_TRIES": (_at_least(1), "a whole number, 1 or more"),
    "SIGN_IN_HOST_SECONDS": (_is_seconds, "a number of seconds above 0, or None for no limit"),
    "DASHBOARD_HOST_SECONDS": (_is_seconds, "a number of seconds above 0, or None for no limit"),
    "CALL_HOST_SECONDS": (_is_seconds, "a number of seconds above 0, or None for no limit"),
    "KEEP_ACCOUNT_URL": (
        lambda value: isinstance(value, str) and (value == "" or re.match(r"(/(?!/)|https?://)", value) is not None),
        "a path of this site, or an https address",
    ),
    "SIGN_ON_LANDING_PAGE": (
        lambda value: value is None or is_text(value),
        "a path or the name of a URL pattern, or None for LOGIN_REDIRECT_URL",
    ),
    "TRANSACTION_TRIES": (_at_least(1), "a whole number, 1 or more"),
    "AUTHENTICATION_CLASSES": (
        lambda value: value is None or _is_list_of_text(value),
        "a list of dotted paths of classes, or None for the REST framework's default",
    ),
    "THROTTLE_RATE": (_is_rate, 'a rate such as "100/second" (or minute, hour, day), or None for no limit'),
    "IDEMPOTENCY_HOURS": (_at_least(1), "a whole number of hours, 1 or more"),
    "DISCOVERY": (lambda value: isinstance(value, dict), "a dict, see docs/catalog.rst"),
    "SIGN_ON_TO_PRIVILEGED_ACCOUNTS": (lambda value: isinstance(value, bool), "True or False"),
    "FILE_STORAGE": (is_text, "the name of an alias in STORAGES"),
    "MAX_FILE_BYTES": (_at_least(1), "a whole number of bytes, 1 or more"),
    "KEEP_FILES_DAYS": (_at_least(1), "a whole number of days, 1 or more"),
    "FEED_STORAGE": (is_text, "the name of an alias in STORAGES"),
    "FEED_SECONDS": (_at_least(1), "a whole number of seconds, 1 or more"),
    "FEED_HANG_SECONDS": (_at_least(1), "a whole number of seconds, 1 or more"),
    "SITE_URL": (
        lambda value: isinstance(value, str) and (value == "" or re.match(r"https?://[^/]", value) is not None),
        "an address such as https://lms.example",
    ),
    "KEEP_DISCLOSURES_DAYS": (
        lambda value: value is None or _at_least(1)(value),
        "a whole number of days, 1 or more, or None to keep them forever",
    ),
    "JOB_ENGINE": (lambda value: value in ("commands", "celery"), '"commands" or "celery"'),
    "JOB_QUEUE": (lambda value: value is None or is_text(value), "the name of a queue, or None for the host's own"),
    "SLICE_SECONDS": (_is_seconds, "a number of seconds above 0"),
    "TAKEOVER_SECONDS": (_at_least(1), "a whole number of seconds, 1 or more"),
    "PRIVATE_METADATA_HOSTS": (_is_list_of_text, "a list of names of hosts"),
    "PRIVATE_WEBHOOK_HOSTS": (_is_list_of_text, "a list of names of hosts"),
    "SIGN_ON": (lambda value: isinstance(value, dict), "a dict, see docs/sso.rst"),
    "PAGES": (
        lambda value: isinstance(value, dict) and not value.keys() - {"BASE_TEMPLATE", "STYLESHEETS", "CONTACT"},
        "a dict with BASE_TEMPLATE, STYLESHEETS and CONTACT, see docs/console.rst",
    ),
}
"""Per setting: a function that accepts or rejects a value, and the accepted values in words."""


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E004 to E007: problems of the dict of settings, its names and its values."""
    configured = getattr(settings, SETTING, {})
    if not isinstance(configured, dict):
        return [error(4, f"{SETTING} is not a dict.", "Write it as a dict of settings, see docs/settings.rst.")]
    problems: list[CheckMessage] = []
    for name in sorted(map(str, configured.keys() - DEFAULTS.keys())):
        alike = difflib.get_close_matches(name, DEFAULTS, n=1)
        hint = f'Did you mean "{alike[0]}"?' if alike else "Take it out; docs/settings.rst lists all settings."
        problems.append(error(5, f'{SETTING} has no setting "{name}".', hint))
    wrong = [name for name, (fits, _) in RULES.items() if not fits(get_setting(name))]
    problems += [
        error(6, f'{SETTING}["{name}"] is {get_setting(name)!r}.', f"It has to be {RULES[name][1]}.")
        for name in wrong
        if name not in {"DISCOVERY", "SIGN_ON"}
    ]
    # These two can hold secrets, which must not reach a log of checks.
    problems += [
        error(6, f'{SETTING}["{name}"] is of the wrong type.', f"It has to be {RULES[name][1]}.")
        for name in wrong
        if name in {"DISCOVERY", "SIGN_ON"}
    ]
    if not {"PAGE_SIZE", "MAX_PAGE_SIZE"} & set(wrong) and get_setting("PAGE_SIZE") > get_setting("MAX_PAGE_SIZE"):
        hint = "Lower PAGE_SIZE or raise MAX_PAGE_SIZE."
        problems.append(error(7, f'{SETTING}["PAGE_SIZE"] is more than {SETTING}["MAX_PAGE_SIZE"].', hint))
    return problems


def is_usable(name: str) -> bool:
    """Return whether a setting's value keeps its rule; if it does not, `check_settings` reports it."""
    return isinstance(getattr(settings, SETTING, {}), dict) and RULES[name][0](get_setting(name))
