"""Answers as a page shows them, against those that came. `…` in a page stands for whatever there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

ANYTHING = "…"


def differences_of_json(*, shown: str, told: str) -> list[str]:
    """Return where the JSON document `told` is not what the page shows."""
    return list(_compare(json.loads(shown), json.loads(told), "$"))


def differences_of_text(*, shown: str, told: str) -> list[str]:
    """Return what of `told` is not as the page shows it; a line `…` stands for any number of lines."""
    lines = told.strip().split("\n")
    expected = shown.strip().split("\n")
    if _fit_lines(expected, lines):
        return []
    missing = [want for want in expected if want != ANYTHING and not any(_fits(want, line) for line in lines)]
    return [f"no line is {want!r}" for want in missing] or ["these lines do not come one after the other as shown"]


def _fit_lines(shown: Sequence[str], told: Sequence[str]) -> bool:
    if not shown:
        return not told
    if shown[0] == ANYTHING:
        return any(_fit_lines(shown[1:], told[start:]) for start in range(len(told) + 1))
    return bool(told) and _fits(shown[0], told[0]) and _fit_lines(shown[1:], told[1:])


def _fits(shown: str, told: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, shown.split(ANYTHING))), told) is not None


def _compare(shown: Any, told: Any, path: str) -> Iterator[str]:
    if isinstance(shown, dict) and isinstance(told, dict):
        yield from _compare_objects(shown, told, path)
    elif isinstance(shown, list) and isinstance(told, list):
        yield from _compare_lists(shown, told, path)
    elif isinstance(shown, str) and ANYTHING in shown:
        if not (shown == ANYTHING or (isinstance(told, str) and _fits(shown, told))):
            yield f"{path} is {told!r}, shown as {shown!r}"
    elif type(shown) is not type(told) or shown != told:
        yield f"{path} is {told!r}, shown as {shown!r}"


def _compare_objects(shown: dict[str, Any], told: dict[str, Any], path: str) -> Iterator[str]:
    rest = ANYTHING in shown
    for name in shown.keys() - {ANYTHING} - told.keys():
        yield f"{path} has no {name!r}"
    for name in () if rest else told.keys() - shown.keys():
        yield f"{path} also has {name!r}: {told[name]!r}"
    for name in shown.keys() & told.keys():
        yield from _compare(shown[name], told[name], f"{path}.{name}")


def _compare_lists(shown: list[Any], told: list[Any], path: str) -> Iterator[str]:
    rest = shown[-1:] == [ANYTHING]
    wanted = shown[:-1] if rest else shown
    if len(told) < len(wanted) or (len(told) > len(wanted) and not rest):
        yield f"{path} has {len(told)} items, {len(wanted)} are shown: {told!r}"
    for number, (want, item) in enumerate(zip(wanted, told, strict=False)):
        yield from _compare(want, item, f"{path}[{number}]")
