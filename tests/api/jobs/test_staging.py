"""Staging rows are read some at a time, and what that costs does not grow with the file."""

from __future__ import annotations

import pytest

from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.removals import FIRST_LEAVER
from program_enrollments.api.jobs.staging import fetch_next, insert_staged
from program_enrollments.models import StagedRow
from tests.rows_read import count_rows_read, renew_tables

SIZE = 1_000


def stage(job: int, numbers: list[int]) -> None:
    insert_staged(
        [(job, number, None, *("",) * 5, None, *("",) * 3, False, "", "", False, None, None) for number in numbers]
    )


@pytest.mark.only_on("postgresql")
def test_a_chunk_of_a_long_file_reads_a_chunk(db: None) -> None:
    """The other databases take the rows in the primary key's order anyway."""
    renew_tables(StagedRow)
    for start in range(1, 60_000, 5_000):
        stage(1, [line * SPACING for line in range(start, start + 5_000)])
    assert count_rows_read(lambda: fetch_next(job_id=1, behind=1_000 * SPACING, size=SIZE)) <= 4 * SIZE


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_every_row_comes_once_in_order_and_groups_come_whole(db: None, size: int) -> None:
    group = [5 * SPACING + place for place in range(4)]
    # Line 6 to 8 stand in the group; after line 11, a hole that is longer than a chunk; then leavers.
    lines = [1, 2, 3, 4, 9, 10, 11, 500, 501]
    numbers = sorted([*(line * SPACING for line in lines), *group, *(FIRST_LEAVER + n * SPACING for n in range(4))])
    stage(1, numbers)
    stage(2, numbers)
    chunks, behind = [], 0
    while rows := fetch_next(job_id=1, behind=behind, size=size):
        chunks.append([row.number for row in rows])
        behind = rows[-1].number
    assert [number for chunk in chunks for number in chunk] == numbers
    assert [chunk for chunk in chunks if set(chunk) & set(group) and not set(chunk) >= set(group)] == []
    assert max(map(len, chunks)) <= size + len(group)
