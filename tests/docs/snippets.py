"""The code blocks of a page of the documentation, as a reader would copy them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n((?:\1 +.*\n|\s*\n)+)", re.MULTILINE)
OPTION = re.compile(r":(\w+): *(.*)")


@dataclass(frozen=True, slots=True)
class Snippet:
    """A code block: its text without indentation, and its name, which is that of the file it is to be saved
    as.
    """

    page: str
    line: int
    language: str
    name: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}, line {self.line}"


def snippets(page: str) -> Iterator[Snippet]:
    """Give the code blocks of `page` (a path below the repository) in their order."""
    text = (ROOT / page).read_text(encoding="utf-8") + "\n"
    for match in BLOCK.finditer(text):
        lines = textwrap.dedent(match[3]).strip("\n").split("\n")
        name = ""
        while option := OPTION.fullmatch(lines[0]):
            name = option[2] if option[1] == "name" else name
            lines.pop(0)
        code = "\n".join(lines).strip("\n")
        yield Snippet(page, text.count("\n", 0, match.start()) + 1, match[2], name, code)


def code_blocks(page: str, language: str) -> list[str]:
    """Return the text of the blocks of `page` in `language`, in order."""
    return [snippet.text for snippet in snippets(page) if snippet.language == language]
