"""Packaging: what is needed at run time is in requirements/base.in, the version in the package."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def read_version() -> str:
    """Return ``__version__`` of the package without importing it: its dependencies may not be installed yet."""
    tree = ast.parse((ROOT / "program_enrollments" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "__version__" for name in node.targets):
            return str(ast.literal_eval(node.value))
    raise RuntimeError("program_enrollments/__init__.py has no __version__.")


def read_requirements(name: str) -> list[str]:
    """Return the requirements that a file of requirements/ names, without its comments."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith(("#", "-"))]


setup(
    name="program_enrollments",
    version=read_version(),
    description="Program enrollments, also preemptive ones, for a Django LMS: a pluggable app with a REST API.",
    long_description=(ROOT / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    author="The program_enrollments authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["program_enrollments", "program_enrollments.*"]),
    package_data={
        "program_enrollments": [
            "py.typed",
            "rest_api/openapi.yaml",
            "templates/**/*.html",
            "templates/**/*.txt",
            "static/**/*",
            "locale/**/*.po",
            "locale/**/*.mo",
        ],
    },
    python_requires=">=3.11",
    install_requires=read_requirements("base"),
    extras_require={"celery": read_requirements("celery")},
    # Open edX finds its plug-ins by this. The name is global there, and its own app has "program_enrollments".
    entry_points={"lms.djangoapp": ["university_enrollments = program_enrollments.apps:ProgramEnrollmentsConfig"]},
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Web Environment",
        "Framework :: Django",
        "Framework :: Django :: 5.2",
        "Framework :: Django :: 6.0",
        "Framework :: Django :: 6.1",
        "Intended Audience :: Education",
        "Intended Audience :: System Administrators",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Education",
    ],
)
