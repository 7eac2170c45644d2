"""The console's documentation: every action of the API has its page."""

from __future__ import annotations

import re

import pytest

from program_enrollments.rest_api.openapi import read_document
from tests.docs.snippets import ROOT

pytestmark = pytest.mark.once
ROW = re.compile(r"^``(GET|POST|PUT|PATCH|DELETE) (\S+)``\s{2,}\S", re.MULTILINE)


def test_every_action_of_the_api_is_in_the_table() -> None:
    document = read_document()
    actions = {
        (method.upper(), path.removeprefix("/v1/"))
        for path, methods in document["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    text = (ROOT / "docs" / "console.rst").read_text(encoding="utf-8")

    assert set(ROW.findall(text)) == actions
