"""System checks: what is wrong with how a host has set this app up, and what to do about it (docs/settings.rst).

Run by `manage.py check` and before most commands. What only a connection can tell is checked by `migrate` and by
`manage.py check --database default`; what matters in production alone, by `manage.py check --deploy`.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from math import inf
from typing import Any, get_type_hints

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name for it)
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import IntegerField
from django.utils.module_loading import import_string
from django.utils.translation import ngettext

from program_enrollments import api
from program_enrollments.conf import DEFAULTS, SETTING, get_setting
from program_enrollments.host import get_adapter, ports

APP = "university_enrollments"
LEAST_SQLITE = (3, 35)
"""The first version whose INSERT and DELETE can answer with rows."""
PROBLEM_MIDDLEWARE = "program_enrollments.rest_api.middleware.ProblemMiddleware"
READS_DRAWN = 20
"""How often a router is queried for one model before it counts as sending all reads of it to one database."""
LOCAL_CACHES = ("LocMemCache", "DummyCache")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(_is_text(item) for item in value)


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
    "HOST": (lambda value: value is None or _is_text(value), "the dotted path of a class"),
    "SAML_BACKENDS": (_is_list_of_text, "a list of names of social-auth backends"),
    "COURSE_MODE": (_is_text, "the name of a course mode"),
    "UPGRADABLE_MODES": (_is_list_of_text, "a list of names of course modes"),
    "MAX_BODY_BYTES": (_at_least(1), "a whole number of bytes, 1 or more"),
    "MAX_ROWS": (_at_least(1), "a whole number, 1 or more"),
    "CHUNK_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "PAGE_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "MAX_PAGE_SIZE": (_at_least(1), "a whole number, 1 or more"),
    "MAX_TRIES": (_at_least(1), "a whole number, 1 or more"),
    "SIGN_IN_HOST_SECONDS": (_is_seconds, "a number of seconds above 0, or None for no limit"),
    "CALL_HOST_SECONDS": (_is_seconds, "a number of seconds above 0, or None for no limit"),
    "TRANSACTION_TRIES": (_at_least(1), "a whole number, 1 or more"),
    "AUTHENTICATION_CLASSES": (
        lambda value: value is None or _is_list_of_text(value),
        "a list of dotted paths of classes, or None for those of the host",
    ),
    "THROTTLE_RATE": (_is_rate, 'a rate such as "100/second" (or minute, hour, day), or None for no limit'),
    "IDEMPOTENCY_HOURS": (_at_least(1), "a whole number of hours, 1 or more"),
    "DISCOVERY": (lambda value: isinstance(value, dict), "a dict, see docs/catalog.rst"),
    "SIGN_ON_TO_PRIVILEGED_ACCOUNTS": (lambda value: isinstance(value, bool), "True or False"),
    "FILE_STORAGE": (_is_text, "the name of an alias in STORAGES"),
    "MAX_FILE_BYTES": (_at_least(1), "a whole number of bytes, 1 or more"),
    "KEEP_FILES_DAYS": (_at_least(1), "a whole number of days, 1 or more"),
    "JOB_ENGINE": (lambda value: value in ("commands", "celery"), '"commands" or "celery"'),
    "JOB_QUEUE": (lambda value: value is None or _is_text(value), "the name of a queue, or None for the host's own"),
    "SLICE_SECONDS": (_is_seconds, "a number of seconds above 0"),
    "TAKEOVER_SECONDS": (_at_least(1), "a whole number of seconds, 1 or more"),
    "PRIVATE_METADATA_HOSTS": (_is_list_of_text, "a list of names of hosts"),
    "SIGN_ON": (lambda value: isinstance(value, dict), "a dict, see docs/sso.rst"),
    "PAGES": (
        lambda value: isinstance(value, dict) and not value.keys() - {"BASE_TEMPLATE", "STYLESHEETS", "CONTACT"},
        "a dict with BASE_TEMPLATE, STYLESHEETS and CONTACT, see docs/console.rst",
    ),
}
"""What each setting's value has to be: whether it is, and in words."""


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"{APP}.E{number:03}")


def _warning(number: int, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"{APP}.W{number:03}")


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E004 to E007: the dict of settings, its names and its values."""
    configured = getattr(settings, SETTING, {})
    if not isinstance(configured, dict):
        return [_error(4, f"{SETTING} is not a dict.", "Write it as a dict of settings, see docs/settings.rst.")]
    problems: list[CheckMessage] = []
    for name in sorted(map(str, configured.keys() - DEFAULTS.keys())):
        alike = difflib.get_close_matches(name, DEFAULTS, n=1)
        hint = f'Did you mean "{alike[0]}"?' if alike else "Take it out; docs/settings.rst lists all settings."
        problems.append(_error(5, f'{SETTING} has no setting "{name}".', hint))
    wrong = [name for name, (fits, _) in RULES.items() if not fits(get_setting(name))]
    problems += [
        _error(6, f'{SETTING}["{name}"] is {get_setting(name)!r}.', f"It has to be {RULES[name][1]}.")
        for name in wrong
        if name not in {"DISCOVERY", "SIGN_ON"}
    ]
    # These two can hold secrets, which are nobody's to see in a log of checks.
    problems += [
        _error(6, f'{SETTING}["{name}"] is of the wrong type.', f"It has to be {RULES[name][1]}.")
        for name in wrong
        if name in {"DISCOVERY", "SIGN_ON"}
    ]
    if not {"PAGE_SIZE", "MAX_PAGE_SIZE"} & set(wrong) and get_setting("PAGE_SIZE") > get_setting("MAX_PAGE_SIZE"):
        hint = "Lower the one or raise the other."
        problems.append(_error(7, f'{SETTING}["PAGE_SIZE"] is more than {SETTING}["MAX_PAGE_SIZE"].', hint))
    return problems


@register()
def check_host(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001 to E003: the host adapter is named, can be made, and has every port."""
    path = get_setting("HOST") if isinstance(getattr(settings, SETTING, {}), dict) else None
    if not _is_text(path):
        hint = "Name the class of your host adapter, such as my_lms.enrollment_host.MyHost (docs/settings.rst, HOST)."
        return [_error(1, f'{SETTING}["HOST"] is missing.', hint)]
    try:
        host = get_adapter()
    except (ImportError, ImproperlyConfigured) as error:
        return [_error(2, f"The host adapter {path} cannot be imported: {error}", "Correct the path, or the module.")]
    # Whatever the host's class raises, the operator has to know of it now rather than at the first sign-in.
    except Exception as error:  # noqa: BLE001
        hint = "The class is made once a process, without arguments."
        return [_error(2, f"The host adapter {path} cannot be made: {type(error).__name__}: {error}", hint)]
    return [
        _error(3, f"The host adapter {path} {lack}.", "program_enrollments/host/ports.py says what it has to do.")
        for lack in _lacks(host)
    ]


def _lacks(host: Any) -> Iterator[str]:
    """Say, for each port and each of its methods, what is missing or cannot be called as the app calls it."""
    for port_name, protocol in get_type_hints(ports.Host).items():
        port = getattr(host, port_name, None)
        if port is None:
            yield f"has no port “{port_name}”"
        else:
            yield from _missing_methods(port, protocol, f"{port_name}.")
    yield from _missing_methods(host, ports.Host, "")


def _missing_methods(port: Any, protocol: type, prefix: str) -> Iterator[str]:
    for name, wanted in vars(protocol).items():
        if name.startswith("_") or not inspect.isfunction(wanted):
            continue
        method = getattr(port, name, None)
        if not callable(method):
            yield f"has no method “{prefix}{name}”"
            continue
        names = [parameter for parameter in inspect.signature(wanted).parameters if parameter != "self"]
        try:
            inspect.signature(method).bind(**dict.fromkeys(names))
        except TypeError as error:
            yield f"cannot be asked “{prefix}{name}({', '.join(names)})”: {error}"


@register()
def check_authentication(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E008, W001, W002: who is let in, through the API and through the universities."""
    problems: list[CheckMessage] = []
    paths = get_setting("AUTHENTICATION_CLASSES") if _usable("AUTHENTICATION_CLASSES") else None
    for path in paths or ():
        problem = _unusable_authentication(path)
        if problem:
            hint = "Give the dotted path of a subclass of rest_framework.authentication.BaseAuthentication."
            problems.append(_error(8, f'{SETTING}["AUTHENTICATION_CLASSES"]: {path} {problem}.', hint))
    framework = getattr(settings, "REST_FRAMEWORK", {})
    if paths == [] or (paths is None and framework.get("DEFAULT_AUTHENTICATION_CLASSES") in ([], ())):
        hint = f'Name classes in {SETTING}["AUTHENTICATION_CLASSES"]; without any, the API answers every request 401.'
        problems.append(_warning(2, "No REST framework authentication classes let anybody in.", hint))
    if _usable("SAML_BACKENDS") and not _backend_names() & set(get_setting("SAML_BACKENDS")):
        hint = (
            "Add the SAML backend to AUTHENTICATION_BACKENDS, or its name to this setting. Until then no sign-on "
            "counts as a university's word, and learners are linked by confirmed e-mail addresses alone."
        )
        problems.append(_warning(1, f'No authentication backend has a name in {SETTING}["SAML_BACKENDS"].', hint))
    return problems


def _usable(name: str) -> bool:
    """Whether a setting has a value of its kind; if not, `check_settings` says so."""
    return isinstance(getattr(settings, SETTING, {}), dict) and RULES[name][0](get_setting(name))


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
            # Signing in fails with that backend's name, and has nothing to do with this app.
            continue
    return names


@register()
def check_time_zones(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E009: times are moments, whatever the clock on the wall says."""
    if settings.USE_TZ:
        return []
    return [_error(9, "USE_TZ is False.", "Set USE_TZ = True: the ledger's times would be ambiguous otherwise.")]


@register()
def check_user_model(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E014: users have whole numbers as primary keys (ADR 0013)."""
    model = get_user_model()
    key: Any = model._meta.pk
    # A user model that extends another one by multi-table inheritance has that one's key.
    while getattr(key, "remote_field", None) is not None:
        key = key.target_field
    if isinstance(key, IntegerField):
        return []
    hint = (
        "Give the user model a primary key that is a whole number, such as BigAutoField. Keep the present key as a "
        "unique field of its own if others need it."
    )
    message = (
        f"The primary key of users, {model._meta.label}.{model._meta.pk.name}, is a {type(key).__name__}: the ledger, "
        "the host's ports and the API identify users by whole numbers."
    )
    return [_error(14, message, hint)]


@register()
def check_routers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E015, E016: what one transaction writes and depends on is in one database."""
    written = {*apps.get_app_config(APP).get_models(), get_user_model(), *_models_of("social_django")}
    # A proxy, or a class that inherits from one of these, writes the same tables; routers see another model.
    writing = [model for model in apps.get_models() if issubclass(model, tuple(written))]
    elsewhere = [model for model in writing if router.db_for_write(model) != DEFAULT_DB_ALIAS]
    # Whether a university may sign somebody on depends on what Django lets them do.
    stale = [model for model in written | {*_models_of("auth")} if model not in elsewhere and _reads_elsewhere(model)]
    problems: list[CheckMessage] = []
    if elsewhere:
        hint = (
            f'Let the routers return "{DEFAULT_DB_ALIAS}" from db_for_write for the models of {APP}, the user model '
            "and the models of social_django: one transaction writes all of them."
        )
        message = f'The database routers send writes elsewhere than to "{DEFAULT_DB_ALIAS}": {_labels(elsewhere)}.'
        problems.append(_error(15, message, hint))
    if stale:
        hint = (
            f'Let the routers return "{DEFAULT_DB_ALIAS}" from db_for_read for these models: a replica that is behind '
            "would hide enrollments and sign-ons from the writes that depend on them. Other models may be read from it."
        )
        message = f"The database routers send reads elsewhere than writes: {_labels(stale)}."
        problems.append(_error(16, message, hint))
    return problems


def _reads_elsewhere(model: Any) -> bool:
    # Some routers draw one of several databases at random.
    return any(router.db_for_read(model) != DEFAULT_DB_ALIAS for _ in range(READS_DRAWN))


def _labels(models: Sequence[Any]) -> str:
    return ", ".join(sorted(model._meta.label for model in models))


@register()
def check_database_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E010, E011, W003, W004: transactions as the app's locks need them, as far as the settings tell."""
    connection = connections[_alias()]
    options = connection.settings_dict.get("OPTIONS", {})
    if connection.vendor == "sqlite":
        return _check_sqlite(connection, options)
    if connection.vendor == "mysql":
        level = options.get("isolation_level", "read committed")
        if str(level).lower() != "read committed":
            hint = 'Leave OPTIONS["isolation_level"] out, or set it to "read committed", which is Django\'s default.'
            message = (
                f"MySQL or MariaDB is used with isolation level {level!r}: a write could not see what it waited for."
            )
            return [_error(11, message, hint)]
    if connection.vendor == "postgresql":
        level = getattr(options.get("isolation_level"), "name", options.get("isolation_level"))
        if level not in {None, "READ_COMMITTED", 2}:
            hint = (
                'Leave OPTIONS["isolation_level"] out: writes that cross sign-ins are tried again and again otherwise.'
            )
            return [_warning(4, f"PostgreSQL is used with isolation level {level}.", hint)]
    return []


def _check_sqlite(connection: Any, options: dict[str, Any]) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    version = connection.Database.sqlite_version_info
    if version < LEAST_SQLITE:
        wanted = ".".join(map(str, LEAST_SQLITE))
        message = f"SQLite {connection.Database.sqlite_version} is too old."
        problems.append(
            _error(10, message, f"Use a Python that comes with SQLite {wanted} or later, or another database.")
        )
    if str(options.get("transaction_mode") or "").upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        hint = (
            'Set OPTIONS["transaction_mode"] to "IMMEDIATE", and a timeout: a transaction that first reads and then '
            "writes waits for its turn then, instead of failing."
        )
        problems.append(_warning(3, "SQLite is used without immediate transactions.", hint))
    return problems


@register(Tags.database)
def check_database(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """E012, E013: what MySQL and MariaDB are set up with; asks the database."""
    alias = _alias()
    if alias not in (databases or ()) or connections[alias].vendor != "mysql":
        return []
    tables = [model._meta.db_table for model in apps.get_app_config(APP).get_models()]
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT table_name, engine FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name IN %s UNION ALL SELECT '', @@default_storage_engine",
            [tables],
        )
        engines = dict(cursor.fetchall())
        cursor.execute(
            "SELECT DISTINCT table_name, character_set_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name IN %s AND character_set_name IS NOT NULL "
            "UNION ALL SELECT '', @@character_set_database UNION ALL SELECT '', @@character_set_connection",
            [tables],
        )
        charsets = set(cursor.fetchall())
    return [*judge_engines(engines), *judge_charsets(charsets)]


def judge_engines(engines: dict[str, str]) -> list[CheckMessage]:
    """Return E012 for each engine but InnoDB, given by table; "" is the one that new tables get."""
    return [
        _error(
            12,
            f"{_named(table)} the storage engine {engine}, which has no transactions.",
            "Make InnoDB the default_storage_engine, and ALTER TABLE … ENGINE = InnoDB what exists.",
        )
        for table, engine in sorted(engines.items())
        if engine.lower() != "innodb"
    ]


def judge_charsets(charsets: Collection[tuple[str, str]]) -> list[CheckMessage]:
    """Return E013 for each character set but utf8mb4, given as (table, character set); "" is the database or the
    connection.
    """
    return [
        _error(
            13,
            f"{_named(table)} the character set {charset}, which not every name and student ID fits in.",
            'Set OPTIONS["charset"] to "utf8mb4", ALTER DATABASE … CHARACTER SET utf8mb4, and convert what exists.',
        )
        for table, charset in sorted(charsets)
        if charset.lower() != "utf8mb4"
    ]


def _named(table: str) -> str:
    return f"Table {table} has" if table else "The database or its connection has"


@register(Tags.database)
def check_staff_clients(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W006: API clients that acted by `is_staff`, which gives no access; asks the database."""
    alias = router.db_for_read(get_user_model()) or "default"
    # `migrate` checks before it has made the tables.
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
    return [_warning(6, message % count, hint)]


def _has_tables(alias: str) -> bool:
    """Whether a database has every table that says who may act for all schools."""
    models = [model for app in ("auth", "oauth2_provider", "authtoken", APP) for model in _models_of(app)]
    tables = {model._meta.db_table for model in [get_user_model(), *models]}
    return tables <= set(connections[alias].introspection.table_names())


def _models_of(app_label: str) -> list[Any]:
    try:
        return [model for model in apps.get_app_config(app_label).get_models() if model._meta.managed]
    except LookupError:
        return []


@register(Tags.caches, deploy=True)
def check_cache(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W005: a limit of requests needs a cache that all processes share."""
    backend = str(settings.CACHES.get("default", {}).get("BACKEND", ""))
    if not _usable("THROTTLE_RATE") or get_setting("THROTTLE_RATE") is None or not backend.endswith(LOCAL_CACHES):
        return []
    hint = f'Use a shared cache, such as Redis or Memcached, or set {SETTING}["THROTTLE_RATE"] to None.'
    return [_warning(5, "Each process counts a client's requests by itself: the limit holds for none of them.", hint)]


@register()
def check_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W007: the API's problem documents need middleware that comes before Django's own."""
    middleware = list(settings.MIDDLEWARE)
    first = next((number for number, path in enumerate(middleware) if path.startswith("django.")), None)
    if first is None or PROBLEM_MIDDLEWARE in middleware[:first]:
        return []
    hint = f"Put {PROBLEM_MIDDLEWARE} first in MIDDLEWARE."
    return [_warning(7, "Under the API's root, Django answers a bad Host header with an HTML page.", hint)]


def _alias() -> str:
    return router.db_for_write(apps.get_model(APP, "Learner")) or "default"
