"""CSV files: what no spreadsheet may compute, and what was sent."""

from __future__ import annotations

import csv

import pytest

from program_enrollments.pages.csv_files import csv_response, write_csv
from program_enrollments.tabular_files import unshield

pytestmark = pytest.mark.once


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "＝1"])
def test_formulas_are_shielded_as_in_uploads(text: str) -> None:
    (line,) = csv.reader(list(write_csv(header=["a"], rows=[[text]]))[1:])

    assert line == [f"'{text}"]
    assert unshield(line[0]) == text


def test_cells_are_written_as_the_api_has_them() -> None:
    lines = list(write_csv(header=["a", "b"], rows=[["x,y", None], [True, 0.5], [False, -1]]))
    assert lines == ["a,b\r\n", '"x,y",\r\n', "true,0.5\r\n", "false,-1\r\n"]


@pytest.mark.django_db
def test_rows_are_counted_also_if_the_reader_goes_away() -> None:
    counts: list[int] = []
    whole = csv_response(name="x", header=["a"], rows=[[1], [2]], when_sent=counts.append)
    list(whole)
    early = csv_response(name="x", header=["a"], rows=[[1], [2], [3]], when_sent=counts.append)
    lines = iter(early)
    assert [next(lines), next(lines)] == [b"a\r\n", b"1\r\n"]
    early.close()

    assert counts == [2, 1]
