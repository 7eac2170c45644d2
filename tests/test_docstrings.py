"""English that a reader need not read twice: the form of docstrings, and phrases that were retired."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_FIRST_LINE = 100
RETIRED = {
    r"to the letter|letter by letter": "exactly",
    r"for ever\b": "forever, until",
    r"\bnobody of\b": "none of them",
    r"\(contract\b": "the document's name",
    r"\bwho(so)?ever\b": "the person: a caller, a reader, staff",
    r"\bonce a (process|sign-on)\b": "once per …",
    r"\ba (savepoint|statement|row|table|column|array|pair|call|query) a \w+": "a … per …",
    r"\bone a (concern|run|row|page|status)\b|\bprotocol a concern\b": "one per …",
    r"\bwhat is so already\b": "the present state",
    r"\b(is|are) (let pass|passed over)\b": "accepted, ignored",
    r"\b(is|are|was|were) told\b|\b(tell|ask)s? the host\b": "report to, write to, query",
    r"\btaken? (it |them )?for (a|an|the|one)\b(?! (day|month|minute))": "count as",
    r"\bin favour\b": "in favor",
    r"\bspeaks? of\b": "name, concern, describe",
    r"\bwho does so\b": "the person",
    r"\bwhere (there (is|are)|none|one is|some are|all are)\b": "if",
}
"""Phrases that read like a translation, and what to write instead. Each pattern matches on one line."""
UNREVISED = (
    "docs/files.rst",
    "docs/operations.rst",
    "docs/sis-integration.rst",
    "program_enrollments/api/enrollments/",
    "program_enrollments/api/jobs/",
    "program_enrollments/api/learners/",
    "program_enrollments/api/reads/enrollment_pages.py",
    "program_enrollments/api/transactions.py",
    "program_enrollments/sql/",
    "program_enrollments/tabular_files",
)
"""Files in which the retired phrases still occur. The list may only become shorter."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

pytestmark = pytest.mark.once


def modules() -> list[Path]:
    found = sorted((ROOT / "program_enrollments").rglob("*.py"))
    return [path for path in found if "migrations" not in path.parts]


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            yield text


def has_short_first_line(docstring: str) -> bool:
    first, *others = docstring.splitlines()
    return len(first) <= MAX_FIRST_LINE and first.endswith((".", "?", ":")) and not (others and others[0].strip())


def test_a_docstring_begins_with_one_short_sentence() -> None:
    bad = [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in modules()
        for text in docstrings(path.read_text(encoding="utf-8"))
        if not has_short_first_line(text)
    ]
    assert bad == [], "Write a first line of one sentence, a blank line, then the rest."


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Return it.", True),
        ("Return it.\n\nOr not.", True),
        ("Return it, or\nsomething else.", False),
        ("Return it\n\nOr not.", False),
        (f"Return {'x' * 100}.", False),
    ],
)
def test_the_form_of_a_first_line_is_recognized(docstring: str, expected: bool) -> None:
    assert has_short_first_line(docstring) is expected


def test_no_module_begins_with_a_blank_line() -> None:
    assert [path for path in modules() if path.read_text(encoding="utf-8")[:1].isspace()] == []


def prose() -> Iterator[Path]:
    """Everything that a reader reads: code, templates, documents."""
    yield from modules()
    yield from sorted((ROOT / "program_enrollments" / "templates").rglob("*.html"))
    yield from sorted((ROOT / "docs").rglob("*.rst"))
    yield from sorted(ROOT.glob("*.rst"))


def retired_phrases(text: str) -> list[tuple[int, str, str]]:
    """Return line, phrase, and what to write instead."""
    return [
        (number, match[0], instead)
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, instead in RETIRED.items()
        for match in re.finditer(pattern, line, re.IGNORECASE)
    ]


def test_retired_phrases_stay_away() -> None:
    found: list[str] = []
    unrevised: set[str] = set()
    for path in prose():
        name = path.relative_to(ROOT).as_posix()
        exemption = next((prefix for prefix in UNREVISED if name.startswith(prefix)), None)
        for number, phrase, instead in retired_phrases(path.read_text(encoding="utf-8")):
            if exemption is None:
                found.append(f"{name}:{number}: “{phrase}”; instead: {instead}")
            else:
                unrevised.add(exemption)

    assert found == []
    revised = [prefix for prefix in UNREVISED if prefix not in unrevised and (ROOT / prefix).exists()]
    assert revised == [], "Take these out of UNREVISED."


@pytest.mark.parametrize(
    "text",
    [
        "Compared to the letter.",
        "Kept for ever.",
        "Nobody of them has one.",
        "Whoever repeats it, waits.",
        "Run once a process.",
        "The statement is told what to do.",
        "A savepoint a row.",
    ],
)
def test_a_retired_phrase_is_recognized(text: str) -> None:
    assert retired_phrases(text)


@pytest.mark.parametrize("text", ["Compare exactly.", "One per process.", "Run it once a pause is over.", "Forever."])
def test_plain_english_is_let_alone(text: str) -> None:
    assert not retired_phrases(text)
