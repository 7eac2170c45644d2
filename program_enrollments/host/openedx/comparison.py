"""Comparison of `signatures` with the files of a checkout.

Run `python -m program_enrollments.host.openedx.comparison PATH`, with any DJANGO_SETTINGS_MODULE, as the package's
sentences need one. Files are parsed, never imported. Exits with 1 if a definition is missing or differs.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from program_enrollments.host.openedx.signatures import FILES, Definition, SourceFile

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Compared(NamedTuple):
    """The result of a comparison: definitions that agree, differences, and missing files of packages."""

    agreeing: int
    differences: list[str]
    left_out: list[str]


def compare(root: Path, *, files: Sequence[SourceFile] = FILES) -> Compared:
    """Compare each definition with the file below `root` that should have it."""
    agreeing = 0
    differences: list[str] = []
    left_out: list[str] = []
    for file in files:
        path = root / file.path
        if not path.is_file():
            if file.package:
                left_out.append(f"{file.path}: look at the package {file.package}")
            else:
                differences.append(f"{file.path}: there is no such file")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for definition in file.definitions:
            problem = find_difference(tree, definition)
            if problem:
                differences.append(f"{file.path}: {definition.name}: {problem}")
            else:
                agreeing += 1
    return Compared(agreeing, differences, left_out)


def find_difference(tree: ast.Module, definition: Definition) -> str:
    """Return how a file's definition differs from the one relied on; empty if it doesn't."""
    node = _find(tree, definition.name.split("."))
    if node is None:
        return "is missing"
    kind, _, rest = definition.form.partition(" ")
    if kind == "def":
        return _compare_function(node, rest, definition.mentions)
    if kind == "class":
        return _compare_class(node, rest)
    return _compare_value(node, rest)


def _find(tree: ast.AST, names: Sequence[str]) -> ast.AST | None:
    """Return the definition that `names` lead to, from a module or class inwards."""
    found: ast.AST | None = tree
    for name in names:
        body = [] if found is None else list(_definitions(found))
        found = next((node for known, node in body if known == name), None)
    return found


def _definitions(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that a module or class defines, also below `if` and `try`, with what they stand for."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _definitions(node)


def _compare_function(node: ast.AST, form: str, mentions: Sequence[str]) -> str:
    if not isinstance(node, Function):
        return "is no function"
    wanted = ast.parse(f"def wanted{form}: pass").body[0]
    assert isinstance(wanted, ast.FunctionDef)  # noqa: S101  (what was parsed just now)
    expected, found = list(_parameters(wanted.args)), list(_parameters(node.args))
    if found[: len(expected)] != expected:
        return f"is now {_written(node.args)}, was {form}"
    required = [name for name, default in found[len(expected) :] if default is None and not name.startswith("*")]
    if required:
        return f"needs {', '.join(required)} too"
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    names |= {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    missing = [name for name in mentions if name not in names]
    return f"no longer mentions {', '.join(missing)}" if missing else ""


def _parameters(arguments: ast.arguments) -> Iterator[tuple[str, str | None]]:
    """Yield each parameter with its default as text, None where it has none."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    for argument, default in zip(plain, [*defaults, *arguments.defaults], strict=True):
        yield argument.arg, None if default is None else ast.unparse(default)
    if arguments.vararg is not None:
        yield f"*{arguments.vararg.arg}", None
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg, None if default is None else ast.unparse(default)
    if arguments.kwarg is not None:
        yield f"**{arguments.kwarg.arg}", None


def _written(arguments: ast.arguments) -> str:
    return f"({ast.unparse(arguments)})"


def _compare_class(node: ast.AST, form: str) -> str:
    if not isinstance(node, ast.ClassDef):
        return "is no class"
    bases = {_last_name(base) for base in node.bases}
    wanted = form.strip("()").rpartition(".")[2]
    return "" if wanted in bases else f"is no {wanted} any more"


def _compare_value(node: ast.AST, form: str) -> str:
    wanted = ast.parse(form, mode="eval").body
    if not isinstance(wanted, ast.Call):
        return "" if ast.unparse(node) == ast.unparse(wanted) else f"is now {ast.unparse(node)}, was {form}"
    if not isinstance(node, ast.Call) or _last_name(node.func) != _last_name(wanted.func):
        return f"is now {ast.unparse(node)}, was {form}"
    found = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    positional = [ast.unparse(argument) for argument in node.args]
    lost = [
        ast.unparse(argument) for argument in wanted.args if ast.unparse(argument) not in [*positional, found.get("to")]
    ]
    lost += [
        f"{keyword.arg}={ast.unparse(keyword.value)}"
        for keyword in wanted.keywords
        if found.get(keyword.arg) != ast.unparse(keyword.value)
    ]
    return f"has lost {', '.join(lost)}" if lost else ""


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare a checkout and print what differs; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m program_enrollments.host.openedx.comparison")
    parser.add_argument("platform", type=Path, help="The folder of an openedx-platform checkout.")
    options = parser.parse_args(arguments)
    compared = compare(options.platform)
    for line in [*compared.differences, *(f"not compared: {line}" for line in compared.left_out)]:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{compared.agreeing} definitions agree, {len(compared.differences)} differ.\n")
    return 1 if compared.differences else 0


if __name__ == "__main__":
    sys.exit(main())
