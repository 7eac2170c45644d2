"""The shapes of answers: lists, rows, per-row outcomes, errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway_contract.connection import Answer, Connection, Params
from gateway_contract.findings import expect

PROGRAM_STATUSES = {"enrolled", "pending", "suspended", "canceled", "ended"}
COURSE_STATUSES = {"active", "inactive"}
MAX_PAGES = 10_000

Fields = Mapping[str, type | tuple[type, ...]]


def read_page(answer: Answer) -> dict[str, Any]:
    """Return a page of a list. Raises Mismatch."""
    found = answer.json()
    whole = isinstance(found, dict) and {"next", "previous", "results"} <= found.keys()
    expect(whole, f"{answer.told()} has no `next`, `previous` and `results`: {answer.shown()}")
    page: dict[str, Any] = found
    expect(isinstance(page["results"], list), f"{answer.told()}: `results` is no list.")
    for name in ("next", "previous"):
        link = page[name]
        told = f"{answer.told()}: `{name}` is neither null nor an absolute address: {link!r}"
        expect(link is None or (isinstance(link, str) and link.startswith(("http://", "https://"))), told)
    return page


def walk(
    connection: Connection, path: str, params: Params, *, statuses: tuple[int, ...] = (200,)
) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages, following `next` as it is."""
    answer = connection.get(path, params).must_be(*statuses)
    seen: set[str] = set()
    for _page in range(MAX_PAGES):
        page = read_page(answer)
        yield from page["results"]
        if page["next"] is None:
            return
        expect(page["next"] not in seen, f"{path}: `next` leads to a page that was read already.")
        seen.add(page["next"])
        answer = connection.send("GET", page["next"]).must_be(*statuses)


def check_row(path: str, row: object, fields: Fields) -> None:
    """Raise Mismatch unless `row` has `fields` with values of these types. Further fields are fine."""
    if not isinstance(row, dict):
        expect(False, f"{path}: a row is no object: {row!r}")
        return
    for name, kind in fields.items():
        expect(name in row, f"{path}: a row has no `{name}`.")
        expect(isinstance(row[name], kind), f"{path}: `{name}` is {type(row[name]).__name__}: {row[name]!r}")


def check_error(answer: Answer, status: int) -> None:
    """Raise Mismatch unless the answer is an error of this status in the shape that gateways read."""
    answer.must_be(status)
    body = answer.json()
    for name in ("developer_message", "error_code"):
        told = f"{answer.told()} has no text `{name}`: {answer.shown()}"
        expect(isinstance(body, dict) and isinstance(body.get(name), str) and body[name], told)


def check_words(answer: Answer, status: int, words: Mapping[str, str]) -> None:
    """Raise Mismatch unless the answer to a write is exactly `words` with this status."""
    answer.must_be(status)
    found = answer.json()
    expect(found == dict(words), f"{answer.told()} should say {dict(words)}: {answer.shown()}")
