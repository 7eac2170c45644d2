"""The reference of the REST API: its examples are what comes, and it forgets no path, code, word or kind."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest

from program_enrollments.conf import DEFAULTS
from program_enrollments.data import (
    ChangeKind,
    CourseStatus,
    LinkHow,
    LinkState,
    Permission,
    ProgramStatus,
    Source,
    Word,
)
from program_enrollments.exceptions import LinkRefused, ProgramEnrollmentsError
from program_enrollments.rest_api import bodies, errors, idempotency, request_ids, rows, urls
from tests.docs.snippets import ROOT
from tests.docs.walking import walk

PAGE = "docs/api.rst"
PATHS = [str(pattern.pattern) for pattern in cast("Any", urls.urlpatterns[0]).url_patterns]
TOLD: list[tuple[type[Exception], errors.Entry]] = [*errors.TABLE.items(), (Exception, errors.UNEXPECTED)]
# Raised by what only staff and commands do.
NOT_ON_THE_WIRE = {LinkRefused.code}
CODE_AND_SENTENCE = re.compile(r'"([a-z_0-9]+)", (?:f?"[^"]* [^"]*"|detail)')
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / PAGE).read_text(encoding="utf-8")


def test_every_example_is_what_comes(own_demo_url: str, tmp_path: Path) -> None:
    assert walk(PAGE, demo_url=own_demo_url, folder=tmp_path) > 10


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_there(page: str, path: str) -> None:
    named = re.sub(r"<\w+:(\w+)>", r"{\1}", path)
    course = "programs/{program}/courses/{course}/"
    written_out = page.replace("``…/freezes/", f"``{course}grades/freezes/").replace(
        "``…/courses/{course}/", f"``{course}"
    )
    assert f"``{named}``" in written_out


def code_of(error: type[Exception], entry: errors.Entry) -> str:
    return error.code if issubclass(error, ProgramEnrollmentsError) else entry.code


CODES = {(code_of(error, entry), entry.status) for error, entry in TOLD}


@pytest.mark.parametrize(("code", "status"), sorted(pair for pair in CODES if pair[0] not in NOT_ON_THE_WIRE))
def test_every_error_code_is_there_with_its_status(page: str, code: str, status: int) -> None:
    assert re.search(rf"^{status} +``{code}``", page, re.MULTILINE)


def test_every_code_of_an_unusable_body_is_there(page: str) -> None:
    sources = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (bodies, rows)]
    told = {code for source in sources for code in CODE_AND_SENTENCE.findall(source)}
    assert {"not_json", "missing", "too_long", "not_a_uuid", "no_identity", "duplicate_name"} <= told
    for code in told:
        assert re.search(rf"^``{code}`` ", page, re.MULTILINE), code


@pytest.mark.parametrize(
    "choices", [ProgramStatus, CourseStatus, Permission, LinkHow, LinkState, Source, ChangeKind, Word]
)
def test_every_word_of_the_domain_is_there(page: str, choices: type) -> None:
    for word in choices.values:  # type: ignore[attr-defined]
        assert f"``{word}``" in page, word


def test_the_numbers_are_those_of_the_code(page: str) -> None:
    assert DEFAULTS["THROTTLE_RATE"] == "100/second"
    for number in (
        "100 requests per second",
        f"{DEFAULTS['PAGE_SIZE']} by default, {DEFAULTS['MAX_PAGE_SIZE']:,} at most",
        f"more than {DEFAULTS['MAX_BODY_BYTES'] // 1024**2} MB",
        f"more than {DEFAULTS['MAX_ROWS']:,} rows",
        f"kept for {DEFAULTS['IDEMPOTENCY_HOURS']} hours",
        f"up to {rows.MAX_ERRORS} errors",
        f"more than {bodies.MAX_TEXT} characters",
        f"1 to {request_ids.MAX_LENGTH} printable",
        f"``{idempotency.REPLAYED_HEADER}: true``",
    ):
        assert number in page, number
