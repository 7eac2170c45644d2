"""A program's changes: newest first, day by day, filtered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from program_enrollments import api
from program_enrollments.api.days import ChangeFilters, fetch_days
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Source, Verb
from program_enrollments.models import LedgerEntry
from tests.console.conftest import Desk, enroll, learner_id
from tests.rest_api.callers import Campus

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def write_on(campus: Campus, moment: datetime, *student_keys: str, source: Source = Source.API) -> None:
    api.write_program_enrollments(
        program=campus.program,
        rows=[ProgramEnrollmentRequest(key, key, "", "enrolled") for key in student_keys],
        verb=Verb.UPSERT,
        origin=Origin(source=source.value),
        now=moment,
    )


def keys(campus: Campus, filters: ChangeFilters) -> list[str]:
    page = fetch_days(program=campus.program, filters=filters, cursor=None, page_size=1000)
    return [row["student_key"] for row in page.rows]


def test_the_newest_day_stands_first(registrar: Desk, campus: Campus) -> None:
    write_on(campus, NOON - timedelta(days=1), "S-1")
    write_on(campus, NOON, "S-2", "S-3")

    page = registrar.open("changes", campus.program.uuid)

    days = [day for day in page.tree.xpath("//h2/text()") if "2026" in day]
    assert days == ["Tuesday, 10 March 2026", "Monday, 9 March 2026"]
    assert [row.split()[0] for row in page.rows()] == ["S-3", "S-2", "S-1"]


def test_days_and_times_are_those_of_the_viewer(registrar: Desk, campus: Campus) -> None:
    write_on(campus, datetime(2026, 3, 10, 23, 30, tzinfo=UTC), "S-1")
    registrar.client.cookies["pe_zone"] = "Asia%2FTokyo"

    page = registrar.open("changes", campus.program.uuid)
    on_that_day = registrar.open("changes", campus.program.uuid, since="2026-03-11", until="2026-03-11")

    assert "Wednesday, 11 March 2026" in page.text
    assert "08:30:00" in page.text
    assert "Times are in Asia/Tokyo." in page.text
    assert len(on_that_day.rows()) == 1


def test_a_zone_that_does_not_exist_is_passed_over(registrar: Desk, campus: Campus) -> None:
    registrar.client.cookies["pe_zone"] = "../../etc/passwd"

    assert "Times are in UTC." in registrar.open("changes", campus.program.uuid).text


def test_filters_are_joined(registrar: Desk, campus: Campus) -> None:
    write_on(campus, NOON, "S-1", "S-2")
    enroll(campus, "S-1", status="ended")
    registrar.send(
        "status", campus.program.uuid, learner=[learner_id(campus, "S-2")], status="ended", confirm="1", reason="x"
    )

    assert len(registrar.open("changes", campus.program.uuid, q="S-2").rows()) == 2
    (row,) = registrar.open("changes", campus.program.uuid, q="S-2", source="console").rows()
    assert "enrolled → ended" in row
    exported = registrar.download("changes", campus.program.uuid, q="S-2", source="console")
    assert len(exported) == 2
    assert exported[0] == "id,at,student_key,course_id,kind,before,after,actor,source,request_id,job_id,reason"
    assert registrar.open("changes", campus.program.uuid, kind="merge").rows() == []


@pytest.mark.parametrize("gap", [False, True])
def test_a_day_is_found_among_many(campus: Campus, gap: bool) -> None:
    """By steps of a 64th, also where entries went to an archive."""
    for day in range(30):
        write_on(campus, NOON + timedelta(days=day), *(f"S-{day}-{number}" for number in range(11)))
    if gap:
        LedgerEntry.objects.filter(position__gt=40, position__lt=160).delete()
    for day in (0, 1, 17, 29):
        since = NOON + timedelta(days=day, hours=-12)
        found = keys(campus, ChangeFilters(since=since, until=since + timedelta(days=1)))
        expected = [f"S-{day}-{number}" for number in reversed(range(11))]
        assert found == expected
    assert keys(campus, ChangeFilters(since=NOON + timedelta(days=40))) == []
    assert keys(campus, ChangeFilters(until=NOON - timedelta(days=40))) == []


def test_pages_are_turned_both_ways(campus: Campus) -> None:
    write_on(campus, NOON, *(f"S-{number}" for number in range(7)))

    def page(cursor: str | None) -> tuple[list[str], str | None, str | None]:
        found = fetch_days(program=campus.program, filters=ChangeFilters(), cursor=cursor, page_size=3)
        return [row["student_key"] for row in found.rows], found.next_cursor, found.previous_cursor

    first, following, _none = page(None)
    second, last, previous = page(following)
    third, end, _back = page(last)

    assert (first, second, third, end) == (["S-6", "S-5", "S-4"], ["S-3", "S-2", "S-1"], ["S-0"], None)
    assert page(previous)[0] == first
