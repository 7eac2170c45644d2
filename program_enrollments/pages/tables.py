"""Tables: one list of columns for HTML, print and CSV, over the same cursor pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.functional import Promise

from program_enrollments.conf import get_setting
from program_enrollments.data import Page

Row = Mapping[str, Any]
Text = str | Promise
CURSOR = "cursor"


def _plain(value: Any) -> Any:
    return "" if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    `name` is the member of the row and the header in the CSV file; `label` the header that people read. `show` makes
    the text of a cell from the member, `link` the address that it leads to, from the row; `tone` a word for its color
    (good, wait, bad, quiet), which is never the only sign. `kind` is text, code, number, time or day. A column without
    a name is not in the CSV file, one with `is_for_csv` in no other.
    """

    label: Text
    name: str = ""
    show: Callable[[Any], Any] = _plain
    link: Callable[[Row], str] | None = None
    tone: Callable[[Row], str] | None = None
    note: Callable[[Row], Text] | None = None
    kind: str = "text"
    is_for_csv: bool = False


class Cell(NamedTuple):
    """One cell as the template shows it."""

    label: Text
    value: Any
    kind: str
    link: str = ""
    tone: str = ""
    note: Text = ""


class ShownRow(NamedTuple):
    """One row as the template shows it; `key` is the value of its box, "" if it can't be chosen."""

    key: str
    title: Text
    cells: list[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A page of rows with their columns; the first column names the row.

    `caption` says what is listed. With `choose`, rows have boxes of this name, whose values are the rows' member
    `choose_by`. `query` is the request's, to which the neighbours' cursors are added.
    """

    caption: Text
    columns: Sequence[Column]
    page: Page
    query: QueryDict
    choose: str = ""
    choose_by: str = ""
    is_numbered: bool = field(default=False)

    @property
    def headers(self) -> list[Column]:
        """The columns that people see."""
        return [column for column in self.columns if not column.is_for_csv]

    def rows(self) -> Iterator[ShownRow]:
        """Give the rows as the template shows them."""
        for row in self.page.rows:
            cells = [_show(column, row) for column in self.headers]
            yield ShownRow(str(row[self.choose_by]) if self.choose else "", cells[0].value, cells)

    @property
    def next_url(self) -> str:
        """Where the next page is, "" at the end."""
        return self._url(self.page.next_cursor)

    @property
    def previous_url(self) -> str:
        """Where the page before is, "" at the beginning."""
        return self._url(self.page.previous_cursor)

    @property
    def csv_url(self) -> str:
        """Where exactly what is filtered is as a CSV file."""
        query = self.query.copy()
        query.pop(CURSOR, None)
        query["format"] = "csv"
        return f"?{query.urlencode()}"

    def _url(self, cursor: str | None) -> str:
        if cursor is None:
            return ""
        query = self.query.copy()
        query[CURSOR] = cursor
        return f"?{query.urlencode()}"


def _show(column: Column, row: Row) -> Cell:
    value = row.get(column.name) if column.name else row
    return Cell(
        label=column.label,
        value=column.show(value),
        kind=column.kind,
        link=column.link(row) if column.link else "",
        tone=column.tone(row) if column.tone else "",
        note=column.note(row) if column.note else "",
    )


def csv_header(columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns that a CSV file has."""
    return [column.name for column in columns if column.name]


def csv_rows(columns: Sequence[Column], *, fetch: Callable[[str | None, int], Page]) -> Iterator[list[Any]]:
    """Give every row of a list as a CSV file has it, page by page.

    `fetch(cursor, page_size)` returns a page.
    """
    names, cursor = csv_header(columns), None
    while True:
        page = fetch(cursor, int(get_setting("MAX_PAGE_SIZE")))
        for row in page.rows:
            yield [row.get(name) for name in names]
        cursor = page.next_cursor
        if cursor is None:
            return
