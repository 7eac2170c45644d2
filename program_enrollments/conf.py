"""Settings: one dict `PROGRAM_ENROLLMENTS` in the host's Django settings.

It is read at call time. The defaults are here.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

SETTING = "PROGRAM_ENROLLMENTS"

DEFAULTS: dict[str, Any] = {
    # The host adapter: dotted path of a class with the ports of host/ports.py as attributes.
    "HOST": None,
    # Whether the API also answers at the path of Open edX's own program API (rest_api/compatible_root.py).
    "COMPATIBLE_ROOT": False,
    # social-auth backends whose uid `<school_slug>:<remote_id>` proves a student ID.
    "SAML_BACKENDS": ["tpa-saml", "saml"],
    # The mode of the seats that this app gives, and the modes that it upgrades to its own.
    "COURSE_MODE": "masters",
    "UPGRADABLE_MODES": ["audit", "honor"],
    # Limits of one call.
    "MAX_BODY_BYTES": 20 * 1024 * 1024,
    "MAX_ROWS": 10_000,
    # How many learners a bulk write locks at a time. A sign-in waits for at most one chunk.
    "CHUNK_SIZE": 1_000,
    "PAGE_SIZE": 100,
    "MAX_PAGE_SIZE": 1_000,
    # Tries of a course enrollment that the host refuses for good, before it waits for a person.
    "MAX_TRIES": 5,
    # Seconds that the host may take altogether: for the sign-in work of one request, and for one call of the API; None
    # sets no limit.
    "SIGN_IN_HOST_SECONDS": 5,
    "CALL_HOST_SECONDS": 60,
    # Seconds that the host's optional ports have per page of the dashboard (docs/dashboard.rst).
    "DASHBOARD_HOST_SECONDS": 2,
    # Tries of a transaction that the database rolled back (deadlock, lock time-out).
    "TRANSACTION_TRIES": 5,
    # DRF authentication classes of the REST API (dotted paths); None uses the host's own.
    "AUTHENTICATION_CLASSES": None,
    # Requests per client, in DRF's notation ("100/second"); None sets no limit.
    "THROTTLE_RATE": "100/second",
    "IDEMPOTENCY_HOURS": 24,
    # Files that schools send (docs/operations.rst): the alias in Django's STORAGES that keeps them (without one, a
    # folder beside the process), how large one may be, and for how many days files and outcomes are kept.
    "FILE_STORAGE": "program_enrollments",
    "MAX_FILE_BYTES": 1024 * 1024 * 1024,
    "KEEP_FILES_DAYS": 30,
    # Files that come by themselves (docs/feeds.rst): the alias in Django's STORAGES on which schools drop them, and the
    # seconds between two looks at a school's folders.
    "FEED_STORAGE": "program_enrollments_feeds",
    "FEED_SECONDS": 60,
    # Seconds after which a look at one folder or file is cut off, because the storage does not answer.
    "FEED_HANG_SECONDS": 300,
    # The site's address, such as "https://lms.example", for links in mails to schools' contacts; "" for mails without.
    "SITE_URL": "",
    # Days for which the console shows who looked at personal data; None keeps that forever.
    "KEEP_DISCLOSURES_DAYS": 730,
    # Who carries jobs on: "commands" (manage.py run_jobs) or "celery"; and Celery's queue, None for the host's default.
    "JOB_ENGINE": "commands",
    "JOB_QUEUE": None,
    # Seconds of one slice of a job, before other schools have their turn.
    "SLICE_SECONDS": 5,
    # Seconds after which a job whose worker was heard of no more is carried on by another one.
    "TAKEOVER_SECONDS": 30,
    # Course Discovery, for `sync_catalog`.
    "DISCOVERY": {},
    # Whether a school's identity provider may sign people on to staff, superusers and those with rights elsewhere.
    "SIGN_ON_TO_PRIVILEGED_ACCOUNTS": False,
    # Single sign-on served by this app (docs/sso.rst); a host with a SAML set-up of its own leaves it off.
    "SIGN_ON": {},
    # The frame of the pages for people: base template, stylesheets, contact (docs/console.rst).
    "PAGES": {},
    # The page where learners without a password add one, if the host adapter has no port `keep_account`.
    "KEEP_ACCOUNT_URL": "",
    # Where single sign-on served by this app lands; None for Django's LOGIN_REDIRECT_URL.
    "SIGN_ON_LANDING_PAGE": None,
    # Hosts in private networks from which `refresh_metadata` may read identity providers' metadata.
    "PRIVATE_METADATA_HOSTS": [],
    # Hosts in private networks, or on this machine, to which webhooks may go; also without TLS.
    "PRIVATE_WEBHOOK_HOSTS": [],
}


def get_setting(name: str) -> Any:
    """Return the setting `name`, or its default.

    Raises KeyError for a name that is no setting of this app.
    """
    default = DEFAULTS[name]
    configured: object = getattr(settings, SETTING, {})
    # A value that is no dict is an operator's mistake, which a system check names; it must not stop the check.
    return configured.get(name, default) if isinstance(configured, dict) else default
