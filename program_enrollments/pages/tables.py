"""Tables: one list of columns for HTML, print and CSV, over the same cursor pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format, localize
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from program_enrollments.conf import get_setting
from program_enrollments.data import Page

Row = Mapping[str, Any]
Text = str | Promise
CURSOR = "cursor"
NOTHING = '<span class="pe-soft"><span aria-hidden="true">–</span><span class="pe-hidden">{}</span></span>'
BOX = (
    '<td role="cell" class="pe-choose"><label><input type="checkbox" name="{}" value="{}" data-choose>'
    '<span class="pe-hidden">{}</span></label></td>'
)


def _plain(value: Any) -> Any:
    return "" if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table.

    `name` is the member of the row and the header in the CSV file; `label` the header that people read. `show` makes
    the text of a cell from the member, `link` the address that it leads to, from the row; `tone` a word for its color
    (good, wait, bad, quiet), which is never the only sign. `kind` is text, code, number, time or day: how it is set. A
    column without a name is not in the CSV file, one with `is_for_csv` in no other.
    """

    label: Text
    name: str = ""
    show: Callable[[Any], Any] = _plain
    link: Callable[[Row], str] | None = None
    tone: Callable[[Row], str] | None = None
    note: Callable[[Row], Text] | None = None
    kind: str = "text"
    is_for_csv: bool = False


class ShownRow(NamedTuple):
    """One row in HTML: its box, if rows can be chosen, and its cells."""

    box: SafeString
    cells: SafeString


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

    @property
    def headers(self) -> list[Column]:
        """The columns that people see."""
        return [column for column in self.columns if not column.is_for_csv]

    def rows(self) -> Iterator[ShownRow]:
        """Give the rows in HTML. Not by a template: a hundred rows would take it ten times as long."""
        columns, choose_label = self.headers, _("Choose %(title)s")
        for row in self.page.rows:
            box = SafeString()
            if self.choose:
                title = columns[0].show(row[columns[0].name])
                box = format_html(BOX, self.choose, row[self.choose_by], choose_label % {"title": title})
            cells = [_show_cell(column, row, is_first=not number) for number, column in enumerate(columns)]
            yield ShownRow(box, format_html_join("", "{}", ((cell,) for cell in cells)))

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


def _show_cell(column: Column, row: Row, *, is_first: bool) -> SafeString:
    content = _show_content(column, row)
    note = column.note(row) if column.note else ""
    if note:
        content = format_html('{}<br><span class="pe-note-line">{}</span>', content, note)
    if is_first:
        return format_html('<th scope="row" role="rowheader" class="pe-{}">{}</th>', column.kind, content)
    return format_html('<td role="cell" class="pe-{}" data-label="{}">{}</td>', column.kind, column.label, content)


def _show_content(column: Column, row: Row) -> SafeString:
    value = column.show(row.get(column.name) if column.name else row)
    if column.link:
        return format_html('<a href="{}">{}</a>', column.link(row), value)
    if value is None or value == "":
        return format_html(NOTHING, _("none"))
    if column.tone and (tone := column.tone(row)):
        return format_html('<span class="pe-badge {}">{}</span>', tone, value)
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return format_html('<time datetime="{}">{}</time>', local.isoformat(), date_format(local, "j M Y, H:i"))
    if isinstance(value, date):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "j M Y"))
    return format_html("{}", localize(value))


def csv_header(columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns that a CSV file has."""
    return [column.name for column in columns if column.name]


def csv_page_size() -> int:
    """Return how many rows of a list are read at once for a CSV file."""
    return int(get_setting("MAX_PAGE_SIZE"))


def csv_rows(
    columns: Sequence[Column], *, fetch: Callable[[str | None, int], Page], first: Page | None = None
) -> Iterator[list[Any]]:
    """Give every row of a list as a CSV file has it, page by page.

    `fetch(cursor, page_size)` returns a page. `first` is the page that the list begins with, if it is read already.
    """
    names, size = csv_header(columns), csv_page_size()
    page = fetch(None, size) if first is None else first
    while True:
        for row in page.rows:
            yield [row.get(name) for name in names]
        if page.next_cursor is None:
            return
        page = fetch(page.next_cursor, size)
