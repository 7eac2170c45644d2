"""Use the installed package in a project of Django's own template; run in its folder by `package`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SETTINGS = """
INSTALLED_APPS += ["rest_framework", "social_django", "program_enrollments"]
MIDDLEWARE.insert(0, "program_enrollments.rest_api.middleware.ProblemMiddleware")
USE_TZ = True
ALLOWED_HOSTS = ["testserver"]
DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 5}
# No university signs on here.
SILENCED_SYSTEM_CHECKS = ["university_enrollments.W001"]
PROGRAM_ENROLLMENTS = {"HOST": "bare.adapter.Adapter"}
"""
URLS = """
from django.urls import include
urlpatterns += [
    path("api/program_enrollments/", include("program_enrollments.rest_api.urls")),
    path("console/", include("program_enrollments.console.urls")),
]
"""
ADAPTER = '''
"""An adapter that knows nobody: every answer is empty."""

class Nobody:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **given: {}

class Adapter:
    accounts = course_enrollments = course_roles = grades = attendance = Nobody()

    def login_url(self):
        return "/admin/login/"
'''


def write_project() -> None:
    """Add the app to the project that `startproject` made."""
    for name, text in (("settings", SETTINGS), ("urls", URLS), ("adapter", ADAPTER)):
        with Path("bare", f"{name}.py").open("a", encoding="utf-8") as file:
            file.write(text)


def main() -> None:
    """Check, migrate, and look at a page of each kind."""
    write_project()
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "bare.settings"

    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    import program_enrollments

    assert "site-packages" in program_enrollments.__file__, program_enrollments.__file__
    call_command("check", fail_level="WARNING")
    call_command("migrate", verbosity=0)
    call_command("makemigrations", "university_enrollments", check=True, dry_run=True, verbosity=0)
    call_command("sweep_enrollments", verbosity=0)
    client = Client()
    description = client.get("/api/program_enrollments/v1/schema/")
    assert description.status_code == 200, description
    assert description.json()["openapi"].startswith("3.1"), "the description was not shipped"
    assert client.get("/api/program_enrollments/v1/programs/").status_code == 401
    assert client.get("/console/").status_code == 302
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.create_superuser("root"))
    page = client.get("/console/")
    assert page.status_code == 200, page
    assert b"</html>" in page.content, page
    print(f"Django {django.__version__}: checked, migrated, API and console answer.")


if __name__ == "__main__":
    main()
