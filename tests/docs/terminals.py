"""A reader's two terminals, a shell and a Python prompt: what was typed before still holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import IO, NoReturn

import pytest

SECONDS = 120
END = "\x1e"
PROMPT = """
import contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    place, text = json.loads(line)
    told, failure = io.StringIO(), ""
    with contextlib.redirect_stdout(told):
        try:
            exec(compile(text, place, "exec"), names)
        except BaseException:
            failure = traceback.format_exc()
    print(json.dumps([told.getvalue(), failure]), flush=True)
"""


class Terminal:
    """A process that is typed into. Its working directory is the reader's folder; `python3` is the tests' own."""

    def __init__(self, command: list[str], folder: Path, *, python_path: Path | None) -> None:
        self.errors = (folder / f".{Path(command[0]).name}-errors").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment(python_path=python_path), "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
        )

    @property
    def keyboard(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def screen(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def fail(self, place: str, told: str) -> NoReturn:
        self.errors.seek(0)
        pytest.fail(f"{place}: the snippet failed.\n{told}\n{self.errors.read()}", pytrace=False)

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """End the process if what is typed takes too long: whoever waits for its answer reads an end."""
        timer = Timer(SECONDS, self.process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        self.keyboard.close()
        self.process.wait(timeout=30)
        self.screen.close()
        self.errors.close()


class Shell(Terminal):
    """A shell that ends at the first command that fails."""

    def __init__(self, folder: Path, *, python_path: Path | None = None) -> None:
        super().__init__(["bash", "--noprofile", "--norc", "-eu", "-o", "pipefail"], folder, python_path=python_path)

    def run(self, text: str, *, place: str) -> str:
        """Return what the commands print."""
        with self.in_time():
            self.keyboard.write(f"{text}\nprintf '\\n{END}\\n'\n")
            self.keyboard.flush()
            told: list[str] = []
            while (line := self.screen.readline()) and line != f"{END}\n":
                told.append(line)
        if not line:
            self.fail(place, "".join(told))
        return "".join(told)[:-1]


class Prompt(Terminal):
    """A Python prompt."""

    def __init__(self, folder: Path, *, python_path: Path | None = None) -> None:
        super().__init__([sys.executable, "-c", PROMPT], folder, python_path=python_path)

    def run(self, text: str, *, place: str) -> str:
        """Return what the code prints."""
        with self.in_time():
            self.keyboard.write(json.dumps([place, text]) + "\n")
            self.keyboard.flush()
            answer = self.screen.readline()
        told, failure = json.loads(answer) if answer else ("", "The process ended.")
        if failure:
            self.fail(place, f"{told}\n{failure}")
        return str(told)


def environment(*, python_path: Path | None = None) -> dict[str, str]:
    """Return the environment of a reader who has the tests' Python first in the path, no settings of Django, and of
    Python code beside what is installed only that at `python_path`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "DEMO_", "PYTEST_", "PYTHON"))
    }
    if python_path is not None:
        kept["PYTHONPATH"] = str(python_path)
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"}
