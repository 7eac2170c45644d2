"""Sentences in Python that people read are marked for translation, wherever a page can show them.

Two rules find them. *Prose*: a literal with two words in a row, anywhere in the modules below. *Places*: a literal with
any letters, where something for people stands: labels, messages, errors of forms, details of refusals. What is left out
has a reason beside it.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

PACKAGE = Path(__file__).resolve().parents[1] / "program_enrollments"
READ = (
    "admin",
    "api",
    "console",
    "dashboard",
    "models",
    "pages",
    "saml",
    "tabular_files",
    "data.py",
    "document_links.py",
    "exceptions.py",
    "metadata_source.py",
)
"""Whose sentences reach pages."""
NOT_READ = {
    "api/catalog/load.py": "a report for operators, by a command",
    "api/catalog/plan.py": "a report for operators, by a command",
    "api/sso/adoption.py": "a report for operators, by a command",
    "api/support/staff_groups.py": "names of groups and permissions, which are data (ADR 0023)",
    "saml/checks.py": "system checks, which Django has in English",
}
"""Modules without sentences for pages, and why."""
STAGED = "about a table that no page shows"
NOTE_OF_A_FILE = (
    "… was not taken, and nothing was changed.\n\n…\n\n"
    "Correct the file and drop it again. docs/files.rst has what a file looks like.\n"
)
BUG = "a bug of ours, which no page quotes"
ALLOWED = {
    ("console/pasted_lines.py", "student id"): "a header that people paste, compared without case",
    ("console/grades.py", "frozen grades"): "which page was seen, in the record of looks at personal data",
    ("console/statuses.py", "status change"): "which page was seen, in the record of looks at personal data",
    ("api/support/corrections.py", "account deleted"): "a reason in the ledger, which is kept as it was written",
    ("tabular_files/table.py", "field larger than field limit"): "an error of Python's csv module",
    ("api/sso/metadata.py", "An entity without identity provider was chosen."): BUG,
    ("api/learners/people.py", "This person is no learner yet."): BUG,
    ("metadata_source.py", "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1"): "a header of HTTP",
    ("models/grants.py", "Can act for all schools"): "a permission's name, which Django stores as it is",
    ("api/feeds/deliveries.py", NOTE_OF_A_FILE): "a note on the storage, where nobody's language is known",
    ("models/jobs.py", "A file of student IDs is about no program."): BUG,
    ("models/jobs.py", "The curriculum's UUID, or whether course staff."): STAGED,
    ("models/jobs.py", "The student ID of who has the address now, if that is another one."): STAGED,
    ("models/jobs.py", "The line gives its person an address that they do not have yet."): STAGED,
    ("models/jobs.py", "Applying it takes somebody who is present away."): STAGED,
    ("saml/backend.py", "University"): "a title that no page of this app shows",
}
"""Literals that are no sentences for people, or that no page shows, and why."""

MARKS = re.compile(r"_|n?p?n?gettext(_lazy|_noop)?")
WORDS = re.compile(r"[^\W\d_][\w'’]*,? [a-z]{2,}")
SQL = re.compile(r"\s*(CASE|SELECT|LEFT JOIN|JOIN) ")
LETTERS = re.compile(r"[^\W\d_]{2,}")
KEYWORDS = {
    "caption",
    "detail",
    "help_text",
    "label",
    "message",
    "placeholder",
    "short_description",
    "title",
    "verbose_name",
    "verbose_name_plural",
}
"""Arguments and attributes that hold something for people."""
CALLS = {"ValidationError": 0, "add_error": 1, "add_message": 2, "message_user": 1, "refuse": 1}
CALLS |= dict.fromkeys(("debug", "error", "info", "success", "warning"), 1)
"""Functions whose argument at this position people read; the last five are those of `messages`."""
FOR_PROGRAMMERS = {"AssertionError", "ImproperlyConfigured", "NotImplementedError", "RuntimeError", "TypeError"}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.AST | None) -> str:
    """Return the text of a literal, "" for everything else; of an f-string, what stands in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return ""


class Finder(ast.NodeVisitor):
    """Collects unmarked literals: `found` has the line and the text of each."""

    def __init__(self) -> None:
        self.found: set[tuple[int, str]] = set()

    def _see(self, node: ast.AST | None, *, pattern: re.Pattern[str] = LETTERS) -> None:
        text = _text(node)
        if node is not None and not SQL.match(text) and pattern.search(re.sub(r"<[^>]*>", "", text)):
            self.found.add((node.lineno, text))  # type: ignore[attr-defined]

    def visit_Call(self, node: ast.Call) -> None:
        name, owner = _name(node.func), _name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if MARKS.fullmatch(name) or owner.endswith("logger") or name in FOR_PROGRAMMERS:
            return
        if name in CALLS and (owner == "messages" or name not in {"debug", "error", "info", "success", "warning"}):
            for argument in node.args[CALLS[name] : CALLS[name] + 1]:
                self._see(argument)
        for keyword in node.keywords:
            if keyword.arg in KEYWORDS:
                self._see(keyword.value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(_name(target) in KEYWORDS for target in node.targets):
            self._see(node.value)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if any(_name(base) in {"TextChoices", "IntegerChoices"} for base in node.bases):
            for member in node.body:
                if isinstance(member, ast.Assign):
                    self._see(member.value.elts[1] if isinstance(member.value, ast.Tuple) else member.value)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        pass

    def visit_Constant(self, node: ast.Constant) -> None:
        self._see(node, pattern=WORDS)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._see(node, pattern=WORDS)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part)


def unmarked(source: str) -> list[tuple[int, str]]:
    """Return the literals of a module that people read and no translation reaches, with their lines."""
    finder = Finder()
    finder.visit(ast.parse(source))
    return sorted(finder.found)


@cache
def found() -> list[tuple[str, int, str]]:
    """Return what is unmarked in the package: module, line, text."""
    files = [
        file for name in READ for file in ([PACKAGE / name] if name.endswith(".py") else (PACKAGE / name).rglob("*"))
    ]
    modules = sorted(file for file in files if file.suffix == ".py")
    assert len(modules) > 100
    return [
        (name, line, text)
        for file in modules
        if (name := str(file.relative_to(PACKAGE))) not in NOT_READ
        for line, text in unmarked(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('x = "It is done"', ["It is done"]),
        ('x = _("It is done")', []),
        ('x = gettext_lazy("It is done")', []),
        ('x = ngettext("one row", "%d rows", 2)', []),
        ('x = f"Job {n} went on."', ["Job … went on."]),
        ('f(label="Name")', ["Name"]),
        ('class A(E):\n    detail = "Refused."', ["Refused."]),
        ('messages.error(request, "Refused.")', ["Refused."]),
        ('raise ValidationError("Refused.")', ["Refused."]),
        ('class S(TextChoices):\n    A = "a", "Active"', ["Active"]),
        ('class S(TextChoices):\n    A = "a", _("Active")', []),
        ('def f():\n    """It is done."""', []),
        ('logger.error("It failed badly: %s.", word)', []),
        ('raise RuntimeError("a bug of ours")', []),
        ('x = "SELECT a FROM b WHERE c"', []),
        ("x = '<span class=\"pe-soft so\">{}</span>'", []),
    ],
)
def test_what_people_read_is_seen(source: str, texts: list[str]) -> None:
    assert [text for _, text in unmarked(source)] == texts


def test_every_sentence_for_people_is_marked() -> None:
    assert [one for one in found() if (one[0], one[2]) not in ALLOWED] == []


def test_what_is_left_out_is_there() -> None:
    """An exception that nothing needs any more would hide the next sentence that looks like it."""
    assert set(ALLOWED) <= {(name, text) for name, _, text in found()}
    assert all(unmarked((PACKAGE / name).read_text(encoding="utf-8")) for name in NOT_READ)
