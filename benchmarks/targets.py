"""The targets (docs/scale.rst), and what a run says of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import console_pages
from benchmarks.databases import TITLES
from benchmarks.sampling import Results, Series

FLOORS = ("driver, arrays", "driver, VALUES")
"""The driver's multi-row floor: whichever of them the database has and takes faster."""
HTTP, API, FILE = 0.4, 0.5, 0.5
GROWTH_COUNTS_ON = ("postgresql", "mariadb")
SMALLEST_SAMPLE = 10_000
"""Rows from which on a bulk write's growth is told: below, it is mostly round trips and noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target on one database: the worst value found, where it was found, and whether it is within the limit."""

    vendor: str
    target: str
    value: float
    limit: float
    at_least: bool
    where: str

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def judge(results: Results) -> list[Verdict]:
    """Return a verdict for every target that the run has samples for."""
    verdicts = []
    for vendor in TITLES:
        series = [each for each in results.series.values() if each.vendor == vendor]
        for target, limit, at_least, found in _targets(results, vendor, series):
            values = list(found)
            if values:
                value, where = (min if at_least else max)(values)
                verdicts.append(
                    Verdict(vendor=vendor, target=target, value=value, limit=limit, at_least=at_least, where=where)
                )
    return verdicts


Found = Iterator[tuple[float, str]]


def _targets(results: Results, vendor: str, series: list[Series]) -> Iterator[tuple[str, float, bool, Found]]:
    yield "bulk write through api, of the driver's multi-row rate", API, True, _of_floor(results, series, "api")
    yield "bulk write over HTTP, of the driver's multi-row rate", HTTP, True, _of_floor(results, series, "http")
    yield "replay through api, times the first write's rate", 3, True, _replays(results, series)
    yield "file, of the rate of the same rows through api", FILE, True, _of_api(results, series)
    yield "file sent again, times the first run's rate", 1.5, True, _steps_of_files(results, series, "replay", "create")
    yield (
        "snapshot with leavers, of the rate of the file sent again",
        1 / 1.2,
        True,
        _steps_of_files(results, series, "snapshot", "replay"),
    )
    yield "growth of a row's cost with the length of its file", 1.25, False, _growth_of_files(results, series)
    yield "sign-in: statements that the app adds", 16, False, _sign_in_statements(results, series)
    yield "sign-in: time that the app adds, times set-based SQL's", 4, False, _sign_in_times(results, series)
    yield "page of the console, processor time (ms)", console_pages.LIMIT, False, _console_pages(series, "processor")
    yield "page of the console, by the clock (ms)", console_pages.LIMIT, False, _console_pages(series, "clock")
    yield "page of 100: statements", 5, False, _page_statements(series)
    yield "page of 100 through api, times the bare query's time", 5, False, _page_times(results, series)
    yield "page of the dashboard: statements", 16, False, _dashboard_statements(series)
    yield "page of the dashboard: milliseconds of server time", 30, False, _dashboard_times(series)
    if vendor in GROWTH_COUNTS_ON:
        yield "growth of bulk writes with the tables", 1.25, False, _growth(results, series, ("create", "update"))
        yield "growth of pages and look-ups with the tables", 1.25, False, _growth(results, series, ("list", "look-up"))
        yield "growth of sign-ins with the tables", 1.25, False, _growth(results, series, ("sign-in",))
    for figure in results.figures:
        if figure["vendor"] == vendor and figure["at_most"] is not None:
            yield f"{figure['what']} ({figure['unit']})", figure["at_most"], False, iter([(figure["value"], "")])


def _of_api(results: Results, series: list[Series]) -> Found:
    for each in series:
        api = _like(results, each, through="api")
        if each.work == "file: create" and each.through == "file" and api:
            yield api.seconds / each.seconds, _where(each)


def _steps_of_files(results: Results, series: list[Series], step: str, other: str) -> Found:
    for each in series:
        compared = _like(results, each, work=f"file: {other}")
        if each.work == f"file: {step}" and each.through == "file" and compared:
            yield compared.seconds / each.seconds, _where(each)


def _growth_of_files(results: Results, series: list[Series]) -> Found:
    sizes = sorted({each.rows for each in series if each.through == "file"})
    for each in series if len(sizes) > 1 else ():
        small = _like(results, each, rows=sizes[0])
        if each.through == "file" and each.rows == sizes[-1] and small:
            yield small.rate / each.rate, _where(each)


def _like(results: Results, series: Series, **changed: str | int) -> Series | None:
    key = {
        "vendor": series.vendor,
        "others": series.others,
        "work": series.work,
        "through": series.through,
        "rows": series.rows,
    }
    return results.find(**{**key, **changed})  # type: ignore[arg-type]


def floor_of(results: Results, series: Series) -> Series | None:
    """Return the fastest multi-row floor of the same work on the same tables."""
    floors = [floor for through in FLOORS if (floor := _like(results, series, through=through))]
    return min(floors, key=lambda floor: floor.seconds, default=None)


def _of_floor(results: Results, series: list[Series], through: str) -> Found:
    for each in series:
        floor = floor_of(results, each)
        if each.through == through and floor:
            yield floor.seconds / each.seconds, _where(each)


def _dashboard_statements(series: list[Series]) -> Found:
    for each in series:
        if each.work.startswith("dashboard"):
            yield each.statements or 0, _where(each)


def _dashboard_times(series: list[Series]) -> Found:
    for each in series:
        if each.work.startswith("dashboard"):
            yield each.seconds * 1000, _where(each)


def _replays(results: Results, series: list[Series]) -> Found:
    for each in series:
        if each.through == "api" and each.work.endswith(": replay") and not each.work.startswith("file"):
            first = _like(results, each, work=each.work.replace(": replay", ": create"))
            if first:
                yield first.seconds / each.seconds, _where(each)


def added_by_sign_in(results: Results, series: Series) -> tuple[float, float] | None:
    """Return seconds and statements that the app adds to the sign-in of `series`, which is the one with the app."""
    without = _like(results, series, through="without the app")
    if without is None:
        return None
    return series.seconds - without.seconds, (series.statements or 0) - (without.statements or 0)


def _sign_in_statements(results: Results, series: list[Series]) -> Found:
    for each in series:
        if each.through == "app" and (added := added_by_sign_in(results, each)):
            yield added[1], _where(each)


def _sign_in_times(results: Results, series: list[Series]) -> Found:
    for each in series:
        floor = _like(results, each, through="set-based SQL")
        if each.through == "app" and floor and (added := added_by_sign_in(results, each)):
            yield added[0] / floor.seconds, _where(each)


def _is_page(series: Series) -> bool:
    return series.work.startswith(("program list", "course list", "changes"))


def _page_statements(series: list[Series]) -> Found:
    for each in series:
        if _is_page(each) and each.through in ("api", "http"):
            yield each.statements or 0, f"{each.through}, {_where(each)}"


def _console_pages(series: list[Series], through: str) -> Found:
    for each in series:
        if each.work.startswith("page: ") and each.through == through:
            yield each.seconds * 1000, _where(each)


def _page_times(results: Results, series: list[Series]) -> Found:
    for each in series:
        bare = _like(results, each, through="bare query")
        if _is_page(each) and each.through == "api" and bare:
            yield each.seconds / bare.seconds, _where(each)


def _growth(results: Results, series: list[Series], kinds: tuple[str, ...]) -> Found:
    sizes = sorted({each.others for each in series})
    if len(sizes) < 2:
        return
    for each in series:
        if each.others != sizes[-1] or each.through not in ("api", "app") or not any(k in each.work for k in kinds):
            continue
        small = _like(results, each, others=sizes[0])
        if not small or 1 < each.rows < SMALLEST_SAMPLE:
            continue
        if each.through == "app":
            added, before = added_by_sign_in(results, each), added_by_sign_in(results, small)
            if added and before and "first" in each.work:
                yield added[0] / before[0], _where(each)
        else:
            yield each.seconds / small.seconds, _where(each)


def _where(series: Series) -> str:
    rows = f"{series.rows:,} rows, " if series.rows > 1 else ""
    return f"{series.work}, {rows}{series.others:,} others"
