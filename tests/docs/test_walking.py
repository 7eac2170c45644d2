"""Walking through a page notices what is wrong with it: else the pages' tests would be worth nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.answers import differences_of_json, differences_of_text
from tests.docs.walking import walk

HEADER = "A page\n======\n\n"
pytestmark = pytest.mark.once


def block(language: str, *lines: str) -> str:
    return "\n".join(
        [f".. code-block:: {language}", *(f"    {line}" if line else "" for line in lines), "", "And so on.", "", ""]
    )


def walk_text(text: str, folder: Path) -> int:
    page = folder / "page.rst"
    page.write_text(HEADER + text, encoding="utf-8")
    (folder / "reader").mkdir()
    return walk(str(page), demo_url="http://127.0.0.1:1", folder=folder / "reader")


def test_what_was_typed_before_still_holds(tmp_path: Path) -> None:
    page = (
        block("bash", "", "A=one")
        + block("python", "", "b = 2")
        + block("bash", "", "echo $A")
        + block("text", "", "one")
    )
    page += block("python", "", "print(b + 1)") + block("text", "", "3") + block("console", "", "$ never run")

    assert walk_text(page, tmp_path) == 4


def test_files_are_saved_and_can_be_run(tmp_path: Path) -> None:
    page = block("python", ":name: greet.py", "", "print('Hello', __file__)") + block("bash", "", "python3 greet.py")

    assert walk_text(page + block("text", "", "Hello …greet.py"), tmp_path) == 1


def test_the_address_in_pages_is_the_demos(tmp_path: Path) -> None:
    page = block("bash", "", "echo http://127.0.0.1:8000/x") + block("text", "", "http://127.0.0.1:1/x")

    assert walk_text(page, tmp_path) == 1


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(block("bash", "", "false"), id="a command that fails"),
        pytest.param(block("bash", "", "false | true"), id="a command that fails before a pipe"),
        pytest.param(block("bash", "", "echo $NOT_SET"), id="a variable that nobody set"),
        pytest.param(block("python", "", "1 / 0"), id="an exception"),
        pytest.param(block("python", "", "raise SystemExit(1)"), id="an end"),
        pytest.param(block("bash", "", "echo 1") + block("text", "", "2"), id="another answer"),
        pytest.param(block("bash", "", "echo '{}'") + block("json", "", '{"a": 1}'), id="another document"),
        pytest.param(block("json", "", "{}"), id="an answer to nothing"),
        pytest.param(block("klingon", "", "nuqneH"), id="a language nobody speaks"),
    ],
)
def test_a_wrong_page_fails(page: str, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"page\.rst, line \d+"):
        walk_text(page, tmp_path)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('{"a": "…", "b": "x…z"}', '{"a": null, "b": "xyz"}'),
        ('{"a": 1, "…": "…"}', '{"a": 1, "b": 2}'),
        ('[1, "…"]', "[1, 2, 3]"),
    ],
)
def test_the_same_is_the_same(shown: str, told: str) -> None:
    assert differences_of_json(shown=shown, told=told) == []


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": 1}', '{"a": true}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": 1, "b": 2}', '{"a": 1}'),
        ('{"a": 1, "…": "…"}', '{"b": 2}'),
        ('{"a": "x…z"}', '{"a": "xy"}'),
        ('{"a": "x…z"}', '{"a": null}'),
        ("[1, 2]", "[1]"),
        ("[1]", "[1, 2]"),
        ('[1, 2, "…"]', "[1]"),
        ("[1, 2]", "[2, 1]"),
        ("{}", "[]"),
    ],
)
def test_another_is_another(shown: str, told: str) -> None:
    assert differences_of_json(shown=shown, told=told)


def test_text_is_compared_line_by_line() -> None:
    assert differences_of_text(shown="a\nb … d\n", told="a\nb c d\n") == []
    assert differences_of_text(shown="a\nb", told="a\nb\nc")
    assert differences_of_text(shown="a\nb\nc", told="a\nb")
    assert differences_of_text(shown="a.c", told="abc")
    assert differences_of_text(shown="a\nb", told="b\na")


def test_a_line_of_dots_stands_for_any_number_of_lines() -> None:
    assert differences_of_text(shown="…\nb\n…", told="a\na\nb") == []
    assert differences_of_text(shown="…", told="a\nb") == []
    assert differences_of_text(shown="…\nb", told="a\nb\nc")
    assert differences_of_text(shown="a\n…\nc", told="a\nb")
