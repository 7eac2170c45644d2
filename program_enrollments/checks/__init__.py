"""System checks of a host's set-up: each finding says what to do about it (docs/settings.rst).

`manage.py check` runs them, and so do most commands. Checks that query the database run in `migrate` and in
`manage.py check --database default`. Checks that matter in production alone run in `manage.py check --deploy`.
"""

from program_enrollments.checks.access import check_authentication, check_staff_clients
from program_enrollments.checks.databases import (
    check_database,
    check_database_settings,
    check_routers,
    judge_charsets,
    judge_engines,
)
from program_enrollments.checks.host import check_host
from program_enrollments.checks.paths import check_compatible_root, check_json_web_tokens
from program_enrollments.checks.project import check_cache, check_middleware, check_time_zones, check_user_model
from program_enrollments.checks.settings import RULES, check_settings

__all__ = [
    "RULES",
    "check_authentication",
    "check_cache",
    "check_compatible_root",
    "check_database",
    "check_database_settings",
    "check_host",
    "check_json_web_tokens",
    "check_middleware",
    "check_routers",
    "check_settings",
    "check_staff_clients",
    "check_time_zones",
    "check_user_model",
    "judge_charsets",
    "judge_engines",
]
