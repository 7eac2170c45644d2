"""How Sphinx builds the documentation: `make docs`, or Read the Docs with .readthedocs.yaml."""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.conf import settings

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_ext")]

# The reference is made of docstrings, for which the package is imported. It needs an installed app, and no database.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "social_django",
        "program_enrollments",
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
)
django.setup()

from program_enrollments import __version__  # noqa: E402

project = "program_enrollments"
author = "The program_enrollments contributors"
project_copyright = "the program_enrollments contributors"
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinxcontrib.openapi",
    "plain_links",
]
exclude_patterns = ["_build", "_ext"]
# Docstrings write code between single backticks.
default_role = "literal"

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": False}
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"Program enrollments {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c6e", "color-brand-content": "#0b5c6e"},
    "dark_css_variables": {"color-brand-primary": "#6cc5d9", "color-brand-content": "#6cc5d9"},
}
