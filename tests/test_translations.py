"""Translations: what people read in templates is marked, and the commands that collect and compile it work."""

from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType
from django.test import Client

from program_enrollments.data import Permission
from tests.console.conftest import administrator
from tests.rest_api.callers import make_campus

pytestmark = pytest.mark.once

LANGUAGES = ("de", "es")
PACKAGE = Path(__file__).resolve().parents[1] / "program_enrollments"
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html")) + sorted((PACKAGE / "templates").rglob("*.txt"))
READ_ALOUD = {"aria-label", "alt", "title", "placeholder", "aria-description"}
SAME_EVERYWHERE = {"CSV", "ID", "JSON", "XML", "SAML", "SHA", "URL", "UTC"}
"""Words that are no language's."""
SILENT = {"style", "script", "code"}
"""What stands in code is written in every language as in English: names of columns, addresses."""


class Texts(HTMLParser):
    """Collects what a person reads, or is read aloud, in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        self.found += [value for name, value in attrs if name in READ_ALOUD and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def unmarked(source: str) -> list[str]:
    """Return the texts of a template that no translation reaches."""
    kept, skipped, classes = [], 0, False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK:
            word = token.contents.split()[0]
            # Django admin's block of classes is an attribute's value in the template that it fills.
            classes = (classes and word != "endblock") or token.contents in {"block bodyclass", "block coltype"}
            skipped += word in {"blocktranslate", "blocktrans", "comment"}
            skipped -= word in {"endblocktranslate", "endblocktrans", "endcomment"}
        elif token.token_type == TokenType.TEXT and not (skipped or classes):
            kept.append(token.contents)
    texts = Texts()
    texts.feed("".join(kept))
    words = [word for text in texts.found for word in re.findall(r"[^\W\d_]{2,}", text)]
    return [word for word in words if word not in SAME_EVERYWHERE]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{% translate "Hello" %}</p>', []),
        ("{% blocktranslate %}Hello{% endblocktranslate %} there", ["there"]),
        ('<a aria-label="Close"></a>', ["Close"]),
        ("<style>.pe { color: red }</style>{# Hello #}{{ name }} · 1", []),
    ],
)
def test_unmarked_texts_are_seen(source: str, words: list[str]) -> None:
    assert unmarked(source) == words


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE / "templates")))
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
def test_messages_are_collected_and_compiled(tmp_path: Path) -> None:
    package = tmp_path / "program_enrollments"
    shutil.copytree(PACKAGE / "templates" / "program_enrollments" / "console", package / "templates")
    shutil.copy(PACKAGE / "console" / "home.py", package / "home.py")
    (package / "locale").mkdir()

    def manage(*arguments: str) -> None:
        command = [sys.executable, "-m", "django", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        subprocess.run(command, cwd=package, env=environment, check=True, capture_output=True)

    manage("makemessages", "--locale=de", "--no-location", "--no-wrap")
    text = (package / "locale/de/LC_MESSAGES/django.po").read_text()
    manage("compilemessages", "--locale=de")

    assert 'msgid "Needs attention"' in text
    assert 'msgid_plural "%(count)d learners need a person."' in text
    assert (package / "locale/de/LC_MESSAGES/django.mo").exists()


PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%[sd]|%%|\{[a-z_]*\}|<[^>]+>")


def catalog(language: str, folder: Path | None = None) -> dict[str | tuple[str, int], str]:
    """Return a compiled catalog: texts by message, those of plurals by message and form."""
    folder = folder or PACKAGE / "locale" / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_message(language: str) -> None:
    wrong = [
        message
        for message, text in catalog(language).items()
        if message
        and isinstance(message, str)
        and sorted(PLACEHOLDER.findall(message)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert wrong == []


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
def test_the_catalogs_are_complete_and_compiled(tmp_path: Path) -> None:
    """Collect the messages anew: each is translated, and the compiled catalog is that of the text beside it."""
    package = tmp_path / "program_enrollments"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "migrations", "static"))
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    locales = [f"--locale={language}" for language in LANGUAGES]
    for command in (
        ["makemessages", *locales, "--no-location", "--no-wrap", "--no-obsolete"],
        ["compilemessages", *locales],
    ):
        subprocess.run(
            [sys.executable, "-m", "django", *command], cwd=package, env=environment, check=True, capture_output=True
        )
    for language in LANGUAGES:
        folder = package / "locale" / language / "LC_MESSAGES"
        compiled = catalog(language, folder)
        source = (folder / "django.po").read_text(encoding="utf-8")
        assert "#, fuzzy" not in source, f"{language}: run make messages, and translate what is marked as fuzzy."
        assert 'msgstr ""\n\n' not in source, f"{language}: run make messages, and translate what is empty."
        assert compiled == catalog(language), f"{language}: run make compile-messages."


def test_pages_speak_the_languages_of_the_catalogs(client: Client, db: None) -> None:
    campus = make_campus("uni-a")
    client.force_login(administrator(Permission.READ_ENROLLMENTS, campus=campus).user)
    headings = {}
    for language in ("en", *LANGUAGES):
        page = client.get("/console/", headers={"Accept-Language": language}).content.decode()
        headings[language] = re.search(r"<h1>(.*?)</h1>", page)[1]  # type: ignore[index]
        assert f'<html lang="{language}"' in page
    assert headings == {"en": "Programs", "de": "Studiengänge", "es": "Programas"}
