"""English that a reader need not read twice: the form of docstrings, and phrases that were retired."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_FIRST_LINE = 100
RETIRED = re.compile(r"to the letter|for ever\b|nobody of them|\(contract\b|once a sign-on", re.IGNORECASE)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LEFT = Path(__file__).parent / "long_docstrings.txt"
"""Modules with first lines that are still too long, and how many. The numbers may only fall."""

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
    allowed = Counter(
        {name: int(number) for name, number in (line.split() for line in LEFT.read_text("utf-8").splitlines())}
    )
    bad: Counter[str] = Counter()
    for path in modules():
        texts = list(docstrings(path.read_text(encoding="utf-8")))
        bad[str(path.relative_to(ROOT))] += sum(not has_short_first_line(text) for text in texts)

    assert bad - allowed == Counter(), "Write a first line of one sentence, a blank line, then the rest."
    assert allowed - bad == Counter(), f"There are fewer long ones now: lower the numbers in {LEFT.name}."


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


def test_retired_phrases_stay_away() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := RETIRED.search(line))
    ]

    assert found == []
