"""What a run prints: a table a database, figures, and the targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.databases import TITLES
from benchmarks.sampling import Results, Series
from benchmarks.targets import Verdict, added_by_sign_in, floor_of


def write_tables(*, results: Results, verdicts: Sequence[Verdict]) -> str:
    """Return everything as text."""
    parts: list[str] = []
    header: tuple[str, ...]
    for vendor, title in TITLES.items():
        series = [each for each in results.series.values() if each.vendor == vendor]
        if not series:
            continue
        parts.append(f"\n===== {title} =====")
        writes = [each for each in series if each.rows > 1]
        parts.append("\nBulk work, rows a second (medians)\n")
        header = ("work", "rows", "others", "through", "rows/s", "of the floor", "statements a row")
        parts.append(_table(header, _write_rows(results, writes)))
        parts.append("\nPages, look-ups and sign-ins, milliseconds (medians)\n")
        header = ("work", "others", "through", "ms", "times the floor", "statements")
        parts.append(_table(header, _single_rows(results, [each for each in series if each.rows == 1])))
        figures = [
            (figure["what"], f"{figure['others']:,}", f"{figure['value']:,.1f} {figure['unit']}")
            for figure in results.figures
            if figure["vendor"] == vendor
        ]
        if figures:
            parts.append("\nFigures\n")
            parts.append(_table(("what", "others", "value"), figures))
    parts.append("\n===== Targets (the worst value of each) =====\n")
    header = ("database", "target", "value", "limit", "", "where")
    parts.append(_table(header, (_verdict_row(verdict) for verdict in verdicts)))
    return "\n".join(parts)


def _write_rows(results: Results, series: Iterable[Series]) -> Iterator[tuple[str, ...]]:
    for each in series:
        floor = floor_of(results, each) or results.find(
            vendor=each.vendor, others=each.others, work=each.work, through="set-based SQL", rows=each.rows
        )
        ratio = f"{floor.seconds / each.seconds:.2f}" if floor else ""
        statements = "" if each.statements is None else f"{each.statements / each.rows:.4f}"
        yield each.work, f"{each.rows:,}", f"{each.others:,}", each.through, f"{each.rate:,.0f}", ratio, statements


def _single_rows(results: Results, series: Iterable[Series]) -> Iterator[tuple[str, ...]]:
    for each in series:
        milliseconds, statements, ratio = each.seconds * 1000, each.statements, ""
        through = each.through
        if through == "app" and (added := added_by_sign_in(results, each)):
            milliseconds, statements, through = added[0] * 1000, added[1], "added by the app"
        floor = results.find(
            vendor=each.vendor,
            others=each.others,
            work=each.work,
            through="set-based SQL" if "sign-in" in each.work else "bare query",
            rows=1,
        )
        if floor and each.through in ("app", "api", "http"):
            ratio = f"{milliseconds / 1000 / floor.seconds:.1f}"
        yield each.work, f"{each.others:,}", through, f"{milliseconds:.2f}", ratio, f"{statements or 0:.0f}"


def _verdict_row(verdict: Verdict) -> tuple[str, ...]:
    limit = f"{'at least' if verdict.at_least else 'at most'} {verdict.limit:g}"
    met = "met" if verdict.met else "MISSED"
    return TITLES[verdict.vendor], verdict.target, f"{verdict.value:.2f}", limit, met, verdict.where


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
