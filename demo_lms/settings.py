"""Settings of the demo LMS. What `program_enrollments` needs from a host stands in the section of that name.

From the environment, all optional unless said otherwise: `DEMO_DEBUG` (1 by default), `DEMO_DEV_SIGN_IN` (as
`DEMO_DEBUG`), `DEMO_DATABASE` (path of the SQLite file), `DEMO_OUTBOX` (folder of the mails sent), `DEMO_SECRET_KEY`
(required if `DEMO_DEBUG` is 0), `DEMO_ALLOWED_HOSTS` (separated by commas).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured


def _flag(name: str, *, default: bool) -> bool:
    """Return whether the environment variable `name` is switched on; unset or empty gives the default."""
    value = os.environ.get(name, "").strip().lower()
    return value in {"1", "true", "yes", "on"} if value else default


BASE_DIR = Path(__file__).resolve().parent
VAR_DIR = BASE_DIR / "var"

DEBUG = _flag("DEMO_DEBUG", default=True)

# Pages that a real site must never have: signing in by merely saying who one is, and reading everybody's mail.
DEMO_DEV_SIGN_IN = _flag("DEMO_DEV_SIGN_IN", default=DEBUG)

PUBLISHED_KEY = "demo-lms-not-a-secret-because-it-holds-no-real-data"
SECRET_KEY = os.environ.get("DEMO_SECRET_KEY") or PUBLISHED_KEY
if not DEBUG and SECRET_KEY == PUBLISHED_KEY:
    raise ImproperlyConfigured(
        "Set DEMO_SECRET_KEY to a long random text: DEMO_DEBUG is off, and anybody could sign sessions with the "
        "published key."
    )

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS += [host.strip() for host in os.environ.get("DEMO_ALLOWED_HOSTS", "").split(",") if host.strip()]

INSTALLED_APPS = [
    # Before the admin, to whose index it adds.
    # Before program_enrollments: receivers run in this order, and an account's e-mail address has to be marked
    # unconfirmed before the app asks whether it is confirmed.
    "demo_lms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "social_django",
    "program_enrollments.apps.ProgramEnrollmentsConfig",
]

MIDDLEWARE = [
    "program_enrollments.rest_api.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "demo_lms.urls"
WSGI_APPLICATION = "demo_lms.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_lms.pages.context.development_pages",
                "demo_lms.pages.context.administration",
            ],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DEMO_DATABASE") or str(VAR_DIR / "demo.sqlite3"),
        "OPTIONS": {
            # A transaction that reads first and writes later waits for its turn at the start, instead of failing in its
            # middle.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # Readers go on while somebody writes.
            "init_command": "PRAGMA journal_mode=WAL;",
        },
    }
}
# Files that the universities send: beside the data, and served by nobody.
STORAGES = {
    **global_settings.STORAGES,
    "program_enrollments": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(Path(DATABASES["default"]["NAME"]).parent / "files"),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    # Where the universities drop files; make demo names the folder.
    "program_enrollments_feeds": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(Path(DATABASES["default"]["NAME"]).parent / "drop")},
    },
}
# Where the demo's universities keep their keys: beside the data.
DEMO_IDP_FOLDER = str(Path(DATABASES["default"]["NAME"]).parent / "idp")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
# Those of the app's pages; the demo's own are in English.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = os.environ.get("DEMO_OUTBOX") or str(VAR_DIR / "outbox")
DEFAULT_FROM_EMAIL = "Demo LMS <no-reply@demo-lms.example>"

# --- Accounts and signing in -----------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "program_enrollments.saml.backend.UniversitySAML",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "home"

SOCIAL_AUTH_URL_NAMESPACE = "social"
SOCIAL_AUTH_LOGIN_ERROR_URL = "login"

# --- The API's clients -----------------------------------------------------------------------------------------------

OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {"read": "Read what you were granted", "write": "Write what you were granted"},
    # Tokens are kept as hashes, and only sent in the Authorization header.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "demo_lms.oauth2.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

# --- program_enrollments ---------------------------------------------------------------------------------------------

# Of the endpoint that the demo's data has (demo_data/webhooks.py).
DEMO_WEBHOOK_SECRET = "whsec_ZGVtby1kZW1vLWRlbW8tZGVtby1kZW1vLWRlbW8="

PROGRAM_ENROLLMENTS: dict[str, Any] = {
    "HOST": "demo_lms.host.DemoHost",
    "PAGES": {"CONTACT": {"name": "Support of the demo", "email": "support@demo-lms.example"}},
    # University A's software is a page of this site.
    "PRIVATE_WEBHOOK_HOSTS": ["127.0.0.1", "localhost"],
    # Nobody has to wait in a demo.
    "THROTTLE_RATE": None,
    "FEED_SECONDS": 3,
    # The demo command says on which port it serves.
    "SITE_URL": os.environ.get("DEMO_SITE_URL") or "http://127.0.0.1:8000",
    "SIGN_ON": {
        # The same wherever the demo is served, so that its universities know it.
        "ENTITY_ID": "https://demo-lms.example/sso",
        "ORGANIZATION": {"name": "Demo LMS", "url": "https://demo-lms.example/"},
        "SUPPORT_CONTACT": {"name": "Support of the demo", "email": "support@demo-lms.example"},
        "TECHNICAL_CONTACT": {"name": "Operators of the demo", "email": "operators@demo-lms.example"},
        "PIPELINE": [
            "program_enrollments.saml.pipeline.read_identity",
            "program_enrollments.saml.pipeline.open_account",
            "demo_lms.sign_in.pipeline.ask_to_confirm",
        ],
    },
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "loggers": {
        "demo_lms": {"handlers": ["console"], "level": "INFO"},
        "program_enrollments": {"handlers": ["console"], "level": "INFO"},
    },
}
