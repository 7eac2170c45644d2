"""Walking through a page: every snippet is run as a reader would, in the order of the page, and what the page shows as
answer is what comes.

- `bash` and `python` blocks are run, each language in a terminal of its own; with a name a block is a file to be
  saved under that name instead, in whatever language.
- A `json` or `text` block is what the block before it prints; `…` in it stands for anything.
- `console` blocks are for looking at.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.answers import differences_of_json, differences_of_text
from tests.docs.snippets import Snippet, snippets
from tests.docs.terminals import Prompt, Shell

NAMED_IN_PAGES = "http://127.0.0.1:8000"
DIFFERENCES = {"json": differences_of_json, "text": differences_of_text}


def walk(page: str, *, demo_url: str, folder: Path, python_path: Path | None = None) -> int:
    """Do what `page` says in `folder`, against the demo at `demo_url`; return how many snippets were run.

    The reader's Python finds this repository's code only at `python_path`.
    """
    shell, prompt = Shell(folder, python_path=python_path), Prompt(folder, python_path=python_path)
    told: str | None = None
    ran = 0
    try:
        for snippet in snippets(page):
            text = snippet.text.replace(NAMED_IN_PAGES, demo_url)
            if snippet.name:
                save(snippet, text, folder=folder)
            elif snippet.language in {"bash", "python"}:
                terminal = shell if snippet.language == "bash" else prompt
                told = terminal.run(text, place=snippet.place)
                ran += 1
            elif snippet.language in DIFFERENCES:
                check(snippet, text, told)
            elif snippet.language != "console":
                pytest.fail(f"{snippet.place}: nobody knows what to do with {snippet.language}.", pytrace=False)
    finally:
        shell.close()
        prompt.close()
    return ran


def save(snippet: Snippet, text: str, *, folder: Path) -> None:
    path = folder / snippet.name
    assert path.resolve().is_relative_to(folder.resolve()), snippet.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def check(snippet: Snippet, text: str, told: str | None) -> None:
    if told is None:
        pytest.fail(f"{snippet.place}: an answer is shown, but nothing was asked before.", pytrace=False)
    differences = DIFFERENCES[snippet.language](shown=text, told=told)
    if differences:
        pytest.fail(f"{snippet.place}:\n" + "\n".join(differences) + f"\n\nWhat came:\n{told}", pytrace=False)
