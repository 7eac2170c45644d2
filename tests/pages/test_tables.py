"""Tables: the same columns in HTML and as CSV."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone
from lxml import html

from program_enrollments.data import Page
from program_enrollments.pages.tables import Column, Table, csv_header, csv_rows

pytestmark = pytest.mark.once

COLUMNS = [
    Column(name="key", label="Key", kind="code", link=lambda row: f"/{row['key']}/"),
    Column(name="status", label="Status", tone=lambda row: "good", note=lambda row: row["why"]),
    Column(name="at", label="At", kind="time"),
    Column(name="uuid", label="UUID", is_for_csv=True),
]
ROW = {"key": "<b>1</b>", "status": "in", "why": "by hand", "at": datetime(2026, 3, 1, 23, tzinfo=UTC), "uuid": "u"}


def cells(row: dict[str, Any], *, columns: list[Column] = COLUMNS, **options: Any) -> list[str]:
    table = Table(caption="x", columns=columns, page=Page([row]), query=QueryDict(), **options)
    (shown,) = table.rows()
    return [
        " ".join(cell.text_content().split()) for cell in html.fromstring(f"<table><tr>{shown.box}{shown.cells}")[0]
    ]


def test_what_people_see() -> None:
    assert cells(ROW) == ["<b>1</b>", "inby hand", "1 Mar 2026, 23:00"]


def test_nothing_is_markup_but_ours() -> None:
    table = Table(caption="x", columns=COLUMNS, page=Page([ROW]), query=QueryDict(), choose="c", choose_by="key")
    (shown,) = table.rows()

    assert "<b>" not in shown.box + shown.cells
    assert 'href="/&lt;b&gt;1&lt;/b&gt;/"' in shown.cells


def test_times_are_those_of_the_viewer() -> None:
    with timezone.override("Asia/Tokyo"):
        assert cells(ROW)[2] == "2 Mar 2026, 08:00"


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–none"), ("", "–none"), (0, "0"), (date(2026, 3, 1), "1 Mar 2026"), (False, "False")]
)
def test_an_empty_cell_is_none_and_a_zero_is_not(value: Any, shown: str) -> None:
    assert (
        cells({"a": value, "b": value}, columns=[Column(name="a", label="A"), Column(name="b", label="B")])[1] == shown
    )


def test_rows_can_be_chosen() -> None:
    assert cells(ROW, choose="learner", choose_by="uuid")[0] == "Choose <b>1</b>"


def test_neighbours_keep_the_filters() -> None:
    query = QueryDict("status=in&cursor=old")
    table = Table(caption="x", columns=COLUMNS, page=Page([ROW], "next", None), query=query)

    assert table.next_url == "?status=in&cursor=next"
    assert table.previous_url == ""
    assert table.csv_url == "?status=in&format=csv"


def test_a_file_has_every_page() -> None:
    pages = {None: Page([{"key": 1, "uuid": "a"}], "2"), "2": Page([{"key": 2}])}

    rows = csv_rows(COLUMNS, fetch=lambda cursor, _size: pages[cursor])

    assert csv_header(COLUMNS) == ["key", "status", "at", "uuid"]
    assert list(rows) == [[1, None, None, "a"], [2, None, None, None]]
