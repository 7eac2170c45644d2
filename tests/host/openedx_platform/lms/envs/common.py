"""Settings as the platform has them when it looks for plug-ins."""

import json

from cryptography.hazmat.primitives.asymmetric import rsa
from edx_django_utils.plugins import add_plugins, get_plugin_apps
from jwt.algorithms import RSAAlgorithm

SECRET_KEY = "of-the-tests-only-and-long-enough-for-hmac-sha-256"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
ROOT_URLCONF = "lms.urls"
LOGIN_URL = "/login"
COURSE_MODE_DEFAULTS = {"slug": "audit"}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
AUTHENTICATION_BACKENDS = [
    "common.djangoapps.third_party_auth.saml.SAMLAuthBackend",
    "django.contrib.auth.backends.ModelBackend",
]
SOCIAL_AUTH_PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "social_core.pipeline.social_auth.social_user",
    "social_core.pipeline.user.get_username",
    "social_core.pipeline.user.create_user",
    "social_core.pipeline.social_auth.associate_user",
    "social_core.pipeline.social_auth.load_extra_data",
    "social_core.pipeline.user.user_details",
]
signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWT_AUTH = {
    "JWT_SIGNING_ALGORITHM": "RS512",
    "JWT_PRIVATE_SIGNING_JWK": RSAAlgorithm.to_jwk(signing_key),
    "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [json.loads(RSAAlgorithm.to_jwk(signing_key.public_key()))]}),
    "JWT_ISSUERS": [{"ISSUER": "https://lms.example/oauth2", "AUDIENCE": "lms-key", "SECRET_KEY": SECRET_KEY}],
    "JWT_DECODE_HANDLER": "edx_rest_framework_extensions.auth.jwt.decoder.jwt_decode_handler",
    "JWT_AUTH_HEADER_PREFIX": "JWT",
}
EDX_DRF_EXTENSIONS = {"JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {}}
MIDDLEWARE = [
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.sites",
    "social_django",
    "rest_framework",
    "waffle",
    "openedx.core.djangoapps.content.course_overviews",
    "common.djangoapps.course_modes",
    "common.djangoapps.student",
    "common.djangoapps.third_party_auth",
    "organizations",
    "openedx.core.djangoapps.user_api",
    "lms.djangoapps.certificates",
    "lms.djangoapps.courseware",
    "lms.djangoapps.grades",
    "completion",
]
BROKER_URL = "memory://"
CELERYBEAT_SCHEDULE = {}
STATIC_URL = "/static/"
SITE_ID = 1
LEARNING_MICROFRONTEND_URL = "https://apps.lms.example/learning"
ACCOUNT_MICROFRONTEND_URL = "https://apps.lms.example/account"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

INSTALLED_APPS.extend(get_plugin_apps("lms.djangoapp"))
add_plugins(__name__, "lms.djangoapp", "common")
