"""The app as an Open edX plug-in, found by the platform's plug-in manager beside the platform's own app."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.host.openedx_project import ROOT, First, InstalledPlatform, install

pytestmark = pytest.mark.once

ORDERS: tuple[First, First] = ("ours", "platform")
OURS = "program_enrollments.apps.ProgramEnrollmentsConfig"
BUILT_IN = "lms.djangoapps.program_enrollments.apps.ProgramEnrollmentsConfig"
UUID = "3f2a0c0e-5b7e-4f0e-9a55-9a0f8f3f7b11"

ASK = """
from django.test import Client
client = Client()
result = {}
for path in %r:
    answer = client.get(path)
    kind = answer["Content-Type"].partition(";")[0]
    result[path] = [answer.status_code, answer.json() if "json" in kind else answer.content.decode(), kind]
"""

INSTALLED = "from django.conf import settings\nresult = settings.INSTALLED_APPS"

TABLES = """
from django.apps import apps
result = {
    config.label: [model._meta.db_table for model in config.get_models()]
    for config in apps.get_app_configs() if 'program_enrollments' in config.name
}
"""

BAD_HOST = """
from django.test import Client
result = []
for root in ("program", "university"):
    answer = Client().get(f"/api/{root}_enrollments/v1/programs/", headers={"Host": "evil.example"})
    result.append([answer.status_code, answer.json().get("parameter")])
"""

NAMES = """
from django.urls import reverse
result = [
    reverse("university_enrollments:programs"),
    reverse("programs_api:v1:learner_program_enrollments"),
    reverse("university_enrollments:programs", urlconf="program_enrollments.rest_api.compatible_urls"),
    reverse("course_home", args=["c"], urlconf="program_enrollments.rest_api.compatible_urls"),
]
"""

SETTINGS = """
from django.conf import settings
names = ("PROGRAM_ENROLLMENTS", "MIDDLEWARE", "ROOT_URLCONF", "SOCIAL_AUTH_PIPELINE", "CELERYBEAT_SCHEDULE")
result = {name: getattr(settings, name) for name in names}
"""

PAGES = """
from django.test import Client
from django.urls import NoReverseMatch, resolve, reverse
result = {}
for name in ("university_enrollments:programs", "console:home", "dashboard:home", "sign_on:metadata"):
    try:
        path = reverse(name)
    except NoReverseMatch:
        result[name] = None
        continue
    answer = Client().get(path)
    result[name] = [path, resolve(path).view_name, answer.status_code, answer.get("Location")]
"""

WITHOUT_MIDDLEWARE = """
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings
with override_settings(MIDDLEWARE=[path for path in settings.MIDDLEWARE if "compatible_root" not in path]):
    result = [message.id for message in run_checks()]
"""

WITHOUT_KEYS = """
from django.conf import settings
from django.core.checks import run_checks
from django.test import override_settings
with override_settings(JWT_AUTH={**settings.JWT_AUTH, "JWT_PUBLIC_SIGNING_JWK_SET": ""}):
    result = [message.id for message in run_checks()]
"""

AT_ITS_OWN_ROOT = [
    f"/api/university_enrollments/v1/programs/{UUID}/enrollments/",
    f"/api/program_enrollments/v1/programs/{UUID}/enrollments/",
    "/api/university_enrollments/nowhere",
]

ROOT_OF_BOTH = "/api/program_enrollments/v1/"
OF_THE_PLATFORM = {
    f"{ROOT_OF_BOTH}programs/enrollments/": "own",
    f"{ROOT_OF_BOTH}programs/readonly_access/": "readonly",
    f"{ROOT_OF_BOTH}programs/{UUID}/overview/": "overview",
    f"{ROOT_OF_BOTH}users/ann/programs/{UUID}/courses": "user",
    f"{ROOT_OF_BOTH}integration-reset": "reset",
}
OF_OURS = {
    f"{ROOT_OF_BOTH}programs/{UUID}/enrollments/": 401,
    f"{ROOT_OF_BOTH}programs/": 401,
    f"/api/university_enrollments/v1/programs/{UUID}/enrollments/": 401,
    f"{ROOT_OF_BOTH}programs": 401,
    f"{ROOT_OF_BOTH}nowhere/": 401,
    "/api/program_enrollments/": 401,
}
OF_OTHERS = {"/login": "Sign in", "/courses/course-v1:Uni+C+1/": "course-v1:Uni+C+1"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> InstalledPlatform:
    return install(tmp_path_factory.mktemp("openedx"))


@pytest.fixture(scope="module", params=ORDERS)
def first(request: pytest.FixtureRequest) -> First:
    found: First = request.param
    return found


@pytest.fixture(scope="module")
def by_default(platform: InstalledPlatform, first: First) -> dict[str, Any]:
    """What a project tells whose operator says nothing."""
    questions = {
        "settings": SETTINGS,
        "installed": INSTALLED,
        "tables": TABLES,
        "paths": ASK % (AT_ITS_OWN_ROOT,),
        "names": NAMES,
        "pages": PAGES,
        "without middleware": WITHOUT_MIDDLEWARE,
        "without keys": WITHOUT_KEYS,
    }
    return platform.evaluate(questions, first=first)


@pytest.fixture(scope="module")
def compatible(platform: InstalledPlatform, first: First) -> dict[str, Any]:
    """What a project tells whose operator gives the app the compatible root too."""
    questions = {
        "paths": ASK % ([*OF_THE_PLATFORM, *OF_OURS, *OF_OTHERS],),
        "bad host": BAD_HOST,
        "without middleware": WITHOUT_MIDDLEWARE,
    }
    config = {"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}, "ALLOWED_HOSTS": ["lms.example", "testserver"]}
    return platform.evaluate(questions, first=first, config=config)


class TestBesideThePlatformsOwnApp:
    def test_both_are_installed_once_after_the_platforms_apps(self, by_default: dict[str, Any], first: First) -> None:
        assert by_default["installed"][-2:] == ([OURS, BUILT_IN] if first == "ours" else [BUILT_IN, OURS])

    def test_labels_and_tables_differ(self, by_default: dict[str, Any]) -> None:
        tables = by_default["tables"]

        assert set(tables) == {"university_enrollments", "program_enrollments"}
        assert all(tables.values())
        assert not set(tables["university_enrollments"]) & set(tables["program_enrollments"])

    def test_by_default_each_answers_at_its_own_root(self, by_default: dict[str, Any]) -> None:
        ours, of_the_platform, nowhere = (by_default["paths"][path] for path in AT_ITS_OWN_ROOT)

        assert ours[0] == 401
        assert ours[1]["error_code"] == "not_authenticated"
        assert of_the_platform[:2] == [200, {"platform": "enrollments"}]
        assert (nowhere[0], nowhere[2]) == (401, "application/problem+json"), "nobody's page answers"

    def test_one_setting_makes_ours_answer_at_the_compatible_root_too(self, compatible: dict[str, Any]) -> None:
        told = compatible["paths"]

        assert {path: told[path][1] for path in OF_THE_PLATFORM} == {
            path: {"platform": name} for path, name in OF_THE_PLATFORM.items()
        }
        assert {path: told[path][0] for path in OF_OURS} == OF_OURS
        assert {told[path][2] for path in OF_OURS} == {"application/problem+json"}
        assert {path: told[path][1] for path in OF_OTHERS} == OF_OTHERS

    def test_a_bad_host_header_is_a_problem_at_both_roots_of_ours(self, compatible: dict[str, Any]) -> None:
        assert compatible["bad host"] == [[400, "Host"], [400, "Host"]]

    def test_names_of_both_apps_can_be_reversed_also_during_a_compatible_request(
        self, by_default: dict[str, Any]
    ) -> None:
        assert by_default["names"] == [
            "/api/university_enrollments/v1/programs/",
            "/api/program_enrollments/v1/programs/enrollments/",
            "/api/program_enrollments/v1/programs/",
            "/courses/c/",
        ]


class TestPagesForBrowsers:
    """The plug-in mounts the API alone; the operator's own URL module mounts the pages."""

    def test_by_default_only_the_api_is_there(self, by_default: dict[str, Any]) -> None:
        there = [name for name, found in by_default["pages"].items() if found]

        assert there == ["university_enrollments:programs"]

    def test_a_url_module_of_the_operators_mounts_them_beside_the_platform(self, platform: InstalledPlatform) -> None:
        config = {"ROOT_URLCONF": "own_urls", "PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}}
        told = platform.evaluate({"pages": PAGES, "paths": ASK % ([*OF_OTHERS],)}, config=config)
        root = "/api/university_enrollments/v1/programs/"

        assert told["pages"] == {
            "university_enrollments:programs": [root, "university_enrollments:programs", 401, None],
            "console:home": ["/console/", "console:home", 302, "/login?next=/console/"],
            "dashboard:home": ["/programs/", "dashboard:home", 302, "/login?next=/programs/"],
            "sign_on:metadata": ["/sso/metadata.xml", "sign_on:metadata", 200, None],
        }
        assert {path: told["paths"][path][1] for path in OF_OTHERS} == OF_OTHERS


class TestSettings:
    def test_defaults_come_along(self, by_default: dict[str, Any]) -> None:
        found = by_default["settings"]

        assert found["PROGRAM_ENROLLMENTS"]["HOST"] == "program_enrollments.host.openedx.OpenEdxHost"
        assert found["MIDDLEWARE"][:2] == [
            "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware",
            "program_enrollments.rest_api.middleware.ProblemMiddleware",
        ]
        assert len(found["MIDDLEWARE"]) == len(set(found["MIDDLEWARE"]))
        assert found["ROOT_URLCONF"] == "lms.urls"
        steps = found["SOCIAL_AUTH_PIPELINE"]
        assert steps.count("program_enrollments.saml.pipeline.confirm_holder") == 1
        behind = steps.index("social_core.pipeline.social_auth.social_user") + 1
        assert steps[behind] == "program_enrollments.saml.pipeline.confirm_holder"
        tasks = [entry["task"] for entry in found["CELERYBEAT_SCHEDULE"].values()]
        assert tasks == ["program_enrollments.do_periodic_work"]

    def test_the_operators_values_win_and_get_what_they_leave_out(self, platform: InstalledPlatform) -> None:
        middleware = [
            "program_enrollments.rest_api.middleware.ProblemMiddleware",
            "django.middleware.common.CommonMiddleware",
        ]
        schedule = {"mine": {"task": "program_enrollments.do_periodic_work", "schedule": 300}}
        config = {
            "PROGRAM_ENROLLMENTS": {"PAGE_SIZE": 7, "AUTHENTICATION_CLASSES": None},
            "MIDDLEWARE": middleware,
            "CELERYBEAT_SCHEDULE": schedule,
        }
        found = platform.evaluate({"settings": SETTINGS}, config=config)["settings"]

        ours = found["PROGRAM_ENROLLMENTS"]
        assert (ours["PAGE_SIZE"], ours["AUTHENTICATION_CLASSES"]) == (7, None)
        assert ours["HOST"] == "program_enrollments.host.openedx.OpenEdxHost"
        compatible_root = "program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware"
        assert found["MIDDLEWARE"] == [compatible_root, *middleware]
        assert found["CELERYBEAT_SCHEDULE"] == schedule, "the operator's own entry for periodic work is the only one"

    def test_a_value_that_is_no_dict_is_left_for_the_system_check(self, platform: InstalledPlatform) -> None:
        ran = platform.run("-m", "django", "check", config={"PROGRAM_ENROLLMENTS": "yes"})

        assert ran.returncode == 1
        assert "university_enrollments.E004" in ran.stderr

    def test_the_system_checks_find_nothing_wrong(self, platform: InstalledPlatform) -> None:
        ran = platform.run("-m", "django", "check", config={"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}})

        assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
        assert "no issues" in ran.stdout

    def test_the_compatible_root_without_its_middleware_is_a_warning(
        self, compatible: dict[str, Any], by_default: dict[str, Any]
    ) -> None:
        assert compatible["without middleware"] == ["university_enrollments.W040"]
        assert by_default["without middleware"] == []

    def test_tokens_whose_signatures_nobody_verifies_are_a_warning(self, by_default: dict[str, Any]) -> None:
        assert by_default["without keys"] == ["university_enrollments.W041"]


def test_the_app_can_be_found_before_there_are_settings() -> None:
    code = (
        "import sys, program_enrollments.apps\n"
        "from django.conf import settings\n"
        "assert not settings.configured\n"
        "late = [name for name in sys.modules if name.startswith(('rest_framework', 'django.contrib', 'social_'))]\n"
        "assert not late, late"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
