"""System checks of single sign-on: silent on a host that doesn't use it (docs/sso.rst)."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name for it)
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from social_core.backends.base import BaseAuth
from social_core.pipeline import DEFAULT_AUTH_PIPELINE
from social_django.models import UserSocialAuth

from program_enrollments.conf import get_setting
from program_enrollments.saml.configuration import MAX_CLOCK_SKEW_SECONDS, STEPS, get_sign_on_settings
from program_enrollments.xml_security import load_library

APP = "university_enrollments"
HOLDER_STEP = "program_enrollments.saml.pipeline.confirm_holder"
SOCIAL_USER = "social_core.pipeline.social_auth.social_user"
BACKEND = "program_enrollments.saml.backend.UniversitySAML"


def is_used() -> bool:
    """Return whether the host's authentication backends include this app's, or a subclass of it."""
    return any(_is_ours(path) for path in settings.AUTHENTICATION_BACKENDS)


@register()
def check_sign_on_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E020 to E022 for unknown settings, unusable keys or certificates, and missing pipeline steps."""
    if not is_used() or not isinstance(get_setting("SIGN_ON"), dict):
        return []
    try:
        configured = get_sign_on_settings()
    except ImproperlyConfigured as error:
        return [_error(20, str(error), "docs/sso.rst, Settings, lists what there is.")]
    problems: list[CheckMessage] = [
        _error(21, f"SIGN_ON: {problem}.", hint) for problem, hint in _key_problems(configured)
    ]
    skew: Any = configured.CLOCK_SKEW_SECONDS
    if not isinstance(skew, int) or not 0 <= skew <= MAX_CLOCK_SKEW_SECONDS:
        hint = "Synchronize the clock of your servers instead of tolerating more."
        problems.append(_error(20, f"SIGN_ON['CLOCK_SKEW_SECONDS'] is not 0 to {MAX_CLOCK_SKEW_SECONDS}.", hint))
    problems += [
        _error(22, f"SIGN_ON['PIPELINE']: {problem}.", "Put steps of your own behind those of this app.")
        for problem in _step_problems(configured.PIPELINE)
    ]
    return problems


@register()
def check_host_pipelines(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W023 if the host's own SAML pipeline does not check who holds a student ID now."""
    problems: list[CheckMessage] = []
    for path in settings.AUTHENTICATION_BACKENDS:
        name = _foreign_backend_name(path)
        if name is None or name not in get_setting("SAML_BACKENDS"):
            continue
        setting, pipeline = _pipeline_of(name)
        if HOLDER_STEP in pipeline and SOCIAL_USER in pipeline[: pipeline.index(HOLDER_STEP)]:
            continue
        hint = (
            f"Put {HOLDER_STEP} right behind {SOCIAL_USER} in {setting}. Without it a student ID that the school gives "
            "to somebody else signs that person on to the former holder's account (docs/sso.rst)."
        )
        problems.append(_warning(23, f"The pipeline of {path} trusts old sign-ons.", hint))
    return problems


def _foreign_backend_name(path: str) -> str | None:
    """Return the name of a social-auth backend, or None if it is this app's or no social-auth backend."""
    if _is_ours(path):
        return None
    try:
        found = import_string(path)
    except ImportError:
        return None
    is_social = inspect.isclass(found) and issubclass(found, BaseAuth)
    return str(found.name) if is_social else None


def _pipeline_of(name: str) -> tuple[str, list[str]]:
    """Return a backend's pipeline: the name of its setting, and the steps."""
    own = f"SOCIAL_AUTH_{name.upper().replace('-', '_')}_PIPELINE"
    for setting in (own, "SOCIAL_AUTH_PIPELINE"):
        if steps := getattr(settings, setting, None):
            return setting, list(steps)
    return "SOCIAL_AUTH_PIPELINE", list(DEFAULT_AUTH_PIPELINE)


@register()
def check_xml_security(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E024 if the library that verifies signatures cannot be loaded, or doesn't match lxml."""
    if not is_used():
        return []
    try:
        load_library()
    except Exception as error:  # noqa: BLE001  (its own error class cannot be imported if it cannot be)
        text = f"Nobody can sign on: xmlsec cannot be loaded ({type(error).__name__}: {error})."
        hint = (
            "If the versions of libxml2 don't match, install lxml and xmlsec from wheels of releases that fit each "
            "other, or build both against the system's libxml2: pip install --force-reinstall --no-binary lxml,xmlsec "
            "lxml xmlsec."
        )
        return [_error(24, text, hint)]
    return []


@register(Tags.urls)
def check_sign_on_urls(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return E023 for a backend without pages, and W020 for pages without a backend."""
    try:
        reverse("sign_on:acs")
    except NoReverseMatch:
        if not is_used():
            return []
        hint = 'Add path("sso/", include("program_enrollments.saml.urls")) to your URLs.'
        return [_error(23, "UniversitySAML is an authentication backend, but its pages have no address.", hint)]
    if is_used():
        return []
    hint = f"Add {BACKEND} to AUTHENTICATION_BACKENDS, or take the pages away."
    return [_warning(20, "The pages of single sign-on have addresses, but nobody can sign in there.", hint)]


@register(deploy=True)
def check_sign_on_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return W021 for each missing setting that is optional but useful in production."""
    if not is_used() or not isinstance(get_setting("SIGN_ON"), dict):
        return []
    given = get_setting("SIGN_ON")
    hints = {
        "ENTITY_ID": "Without it the service is called by its address, and universities must follow when that changes.",
        "SUPPORT_CONTACT": "Without it, pages that refuse a sign-on cannot say whom to write to.",
    }
    return [_warning(21, f"SIGN_ON['{name}'] is not set.", hint) for name, hint in hints.items() if not given.get(name)]


@register(Tags.database)
def check_uid_collation(
    app_configs: Any, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Return W022 if the uid column's collation takes IDs that differ in an accent alone as equal."""
    alias = router.db_for_read(UserSocialAuth)
    connection: Any = connections[alias]
    if not is_used() or connection.vendor != "mysql" or alias not in (databases or ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = %s AND column_name = 'uid'",
            [UserSocialAuth._meta.db_table],
        )
        row = cursor.fetchone()
    if row is None or str(row[0]).endswith("_bin"):
        return []
    hint = "Give the column a binary collation: docs/sso.rst, Collations, has the statement."
    return [_warning(22, f"social-auth's uid column has the collation {row[0]}: é and e are one ID to it.", hint)]


def _is_ours(path: str) -> bool:
    if path == BACKEND:
        return True
    try:
        found = import_string(path)
    except ImportError:
        return False
    ancestors = inspect.getmro(found) if inspect.isclass(found) else ()
    return any(f"{ancestor.__module__}.{ancestor.__qualname__}" == BACKEND for ancestor in ancestors)


def _key_problems(configured: Any) -> Iterator[tuple[str, str]]:
    key, certificate = None, None
    if configured.PRIVATE_KEY:
        try:
            key = serialization.load_pem_private_key(configured.PRIVATE_KEY.encode(), password=None)
        except (ValueError, TypeError, AttributeError):
            yield (
                "PRIVATE_KEY is no private key in PEM form, or has a password",
                "Give the text of the file, unencrypted.",
            )
    for name in ("CERTIFICATE", "NEXT_CERTIFICATE"):
        text = getattr(configured, name)
        if text:
            try:
                loaded = x509.load_pem_x509_certificate(text.encode())
            except (ValueError, AttributeError):
                yield f"{name} is no certificate in PEM form", "Give the text of the file."
            else:
                certificate = certificate or (loaded if name == "CERTIFICATE" else None)
    if key is not None and not isinstance(key, rsa.RSAPrivateKey):
        yield "PRIVATE_KEY is no RSA key", "Make an RSA key of 2,048 bits or more."
    elif key is not None and certificate is None:
        yield "PRIVATE_KEY is set, but CERTIFICATE is not", "Universities check our signature by the certificate."
    elif key is not None and certificate is not None and certificate.public_key() != key.public_key():
        yield "PRIVATE_KEY and CERTIFICATE do not belong together", "Take both from one pair."


def _step_problems(pipeline: Sequence[str]) -> Iterator[str]:
    if tuple(pipeline[: len(STEPS)]) != STEPS:
        yield f"it doesn't begin with {' and '.join(STEPS)}"
    for step in pipeline:
        try:
            import_string(step)
        except ImportError:
            yield f"{step} cannot be imported"


def _error(number: int, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"{APP}.E{number:03}")


def _warning(number: int, text: str, hint: str) -> Warning:
    return Warning(text, hint=hint, id=f"{APP}.W{number:03}")
