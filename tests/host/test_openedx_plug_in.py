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


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> InstalledPlatform:
    return install(tmp_path_factory.mktemp("openedx"))


def answers(platform: InstalledPlatform, *paths: str, **options: Any) -> dict[str, Any]:
    told: dict[str, Any] = platform.evaluate(ASK % (list(paths),), **options)
    return told


@pytest.mark.parametrize("first", ORDERS)
class TestBesideThePlatformsOwnApp:
    def test_both_are_installed_once_after_the_platforms_apps(self, platform: InstalledPlatform, first: First) -> None:
        found = platform.evaluate("from django.conf import settings\nresult = settings.INSTALLED_APPS", first=first)

        assert found[-2:] == ([OURS, BUILT_IN] if first == "ours" else [BUILT_IN, OURS])

    def test_labels_and_tables_differ(self, platform: InstalledPlatform, first: First) -> None:
        code = (
            "from django.apps import apps\n"
            "result = {config.label: [model._meta.db_table for model in config.get_models()]"
            " for config in apps.get_app_configs() if 'program_enrollments' in config.name}"
        )
        tables = platform.evaluate(code, first=first)

        assert set(tables) == {"university_enrollments", "program_enrollments"}
        assert all(tables.values())
        assert not set(tables["university_enrollments"]) & set(tables["program_enrollments"])

    def test_by_default_each_answers_at_its_own_root(self, platform: InstalledPlatform, first: First) -> None:
        paths = [
            f"/api/university_enrollments/v1/programs/{UUID}/enrollments/",
            f"/api/program_enrollments/v1/programs/{UUID}/enrollments/",
            "/api/university_enrollments/nowhere",
        ]
        told = answers(platform, *paths, first=first)

        assert told[paths[0]][0] == 401
        assert told[paths[0]][1]["error_code"] == "not_authenticated"
        assert told[paths[1]][:2] == [200, {"platform": "enrollments"}]
        assert (told[paths[2]][0], told[paths[2]][2]) == (401, "application/problem+json"), "nobody's page answers"

    def test_one_setting_makes_ours_answer_at_the_compatible_root_too(
        self, platform: InstalledPlatform, first: First
    ) -> None:
        config = {"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}}
        root = "/api/program_enrollments/v1/"
        of_the_platform = {
            f"{root}programs/enrollments/": "own",
            f"{root}programs/readonly_access/": "readonly",
            f"{root}programs/{UUID}/overview/": "overview",
            f"{root}users/ann/programs/{UUID}/courses": "user",
            f"{root}integration-reset": "reset",
        }
        ours = {
            f"{root}programs/{UUID}/enrollments/": 401,
            f"{root}programs/": 401,
            f"/api/university_enrollments/v1/programs/{UUID}/enrollments/": 401,
            f"{root}programs": 401,
            f"{root}nowhere/": 401,
            "/api/program_enrollments/": 401,
        }
        others = {"/login": "Sign in", "/courses/course-v1:Uni+C+1/": "course-v1:Uni+C+1"}

        told = answers(platform, *of_the_platform, *ours, *others, first=first, config=config)

        assert {path: told[path][1] for path in of_the_platform} == {
            path: {"platform": name} for path, name in of_the_platform.items()
        }
        assert {path: told[path][0] for path in ours} == ours
        assert {told[path][2] for path in ours} == {"application/problem+json"}
        assert {path: told[path][1] for path in others} == others

    def test_a_bad_host_header_is_a_problem_at_both_roots_of_ours(
        self, platform: InstalledPlatform, first: First
    ) -> None:
        code = """
from django.test import Client
result = []
for root in ("program", "university"):
    answer = Client().get(f"/api/{root}_enrollments/v1/programs/", headers={"Host": "evil.example"})
    result.append([answer.status_code, answer.json().get("parameter")])
"""
        config = {"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}, "ALLOWED_HOSTS": ["lms.example"]}
        assert platform.evaluate(code, first=first, config=config) == [[400, "Host"], [400, "Host"]]

    def test_names_of_both_apps_can_be_reversed_also_during_a_compatible_request(
        self, platform: InstalledPlatform, first: First
    ) -> None:
        code = """
from django.urls import reverse
result = [
    reverse("university_enrollments:programs"),
    reverse("programs_api:v1:learner_program_enrollments"),
    reverse("university_enrollments:programs", urlconf="program_enrollments.rest_api.compatible_urls"),
    reverse("course_home", args=["c"], urlconf="program_enrollments.rest_api.compatible_urls"),
]
"""
        assert platform.evaluate(code, first=first) == [
            "/api/university_enrollments/v1/programs/",
            "/api/program_enrollments/v1/programs/enrollments/",
            "/api/program_enrollments/v1/programs/",
            "/courses/c/",
        ]


class TestSettings:
    def test_defaults_come_along(self, platform: InstalledPlatform) -> None:
        found = platform.evaluate(SETTINGS)

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

    def test_the_operators_values_win_and_what_they_leave_out_keeps_its_default(
        self, platform: InstalledPlatform
    ) -> None:
        config = {"PROGRAM_ENROLLMENTS": {"PAGE_SIZE": 7, "AUTHENTICATION_CLASSES": None}}
        found = platform.evaluate(SETTINGS, config=config)["PROGRAM_ENROLLMENTS"]

        assert (found["PAGE_SIZE"], found["AUTHENTICATION_CLASSES"]) == (7, None)
        assert found["HOST"] == "program_enrollments.host.openedx.OpenEdxHost"

    def test_an_operators_own_list_of_middleware_gets_what_is_missing(self, platform: InstalledPlatform) -> None:
        own = ["program_enrollments.rest_api.middleware.ProblemMiddleware", "django.middleware.common.CommonMiddleware"]
        found = platform.evaluate(SETTINGS, config={"MIDDLEWARE": own})["MIDDLEWARE"]

        assert found == ["program_enrollments.rest_api.compatible_root.CompatibleRootMiddleware", *own]

    def test_an_operators_own_entry_for_periodic_work_is_the_only_one(self, platform: InstalledPlatform) -> None:
        task = "program_enrollments.do_periodic_work"
        by_default = platform.evaluate(SETTINGS)["CELERYBEAT_SCHEDULE"]
        assert [entry["task"] for entry in by_default.values()] == [task]

        own = {"mine": {"task": task, "schedule": 300}}
        assert platform.evaluate(SETTINGS, config={"CELERYBEAT_SCHEDULE": own})["CELERYBEAT_SCHEDULE"] == own

    def test_a_value_that_is_no_dict_is_left_for_the_system_check(self, platform: InstalledPlatform) -> None:
        ran = platform.run("-m", "django", "check", config={"PROGRAM_ENROLLMENTS": "yes"})

        assert ran.returncode == 1
        assert "university_enrollments.E004" in ran.stderr

    def test_the_system_checks_find_nothing_wrong(self, platform: InstalledPlatform) -> None:
        ran = platform.run("-m", "django", "check", config={"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}})

        assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
        assert "no issues" in ran.stdout

    def test_the_compatible_root_without_its_middleware_is_a_warning(self, platform: InstalledPlatform) -> None:
        code = """
from django.conf import settings
from django.core.checks import run_checks
settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if "compatible_root" not in path]
result = [message.id for message in run_checks()]
"""
        config = {"PROGRAM_ENROLLMENTS": {"COMPATIBLE_ROOT": True}}
        assert platform.evaluate(code, config=config) == ["university_enrollments.W040"]
        assert platform.evaluate(code) == []

    def test_tokens_whose_signatures_nobody_verifies_are_a_warning(self, platform: InstalledPlatform) -> None:
        code = """
from django.conf import settings
from django.core.checks import run_checks
settings.JWT_AUTH = {**settings.JWT_AUTH, "JWT_PUBLIC_SIGNING_JWK_SET": ""}
result = [message.id for message in run_checks()]
"""
        assert platform.evaluate(code) == ["university_enrollments.W041"]


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


SETTINGS = """
from django.conf import settings
names = ("PROGRAM_ENROLLMENTS", "MIDDLEWARE", "ROOT_URLCONF", "SOCIAL_AUTH_PIPELINE", "CELERYBEAT_SCHEDULE")
result = {name: getattr(settings, name) for name in names}
"""
