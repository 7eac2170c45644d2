"""docs/sso.rst lists what there is: settings, reasons, checks, addresses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from program_enrollments.data import SignOnRefusal
from program_enrollments.saml import checks, urls
from program_enrollments.saml.configuration import SignOnSettings

TEXT = (Path(__file__).parents[2] / "docs" / "sso.rst").read_text(encoding="utf-8")

pytestmark = pytest.mark.once


def test_every_setting() -> None:
    section = TEXT.partition("\nSettings\n--------\n")[2].partition("\n\n\n")[0]
    headings = re.findall(r"^``.+$", section, re.MULTILINE)
    named = {name for heading in headings for name in re.findall(r"``([A-Z_]+)``", heading)}

    assert named == set(SignOnSettings.__dataclass_fields__)


def test_every_reason() -> None:
    table = TEXT.partition("Reason   ")[2].partition("\n\n")[0]

    assert re.findall(r"^``(\w+)``", table, re.MULTILINE) == SignOnRefusal.values


def test_every_check() -> None:
    source = Path(str(checks.__file__)).read_text(encoding="utf-8")
    made = {f"{kind[0].upper()}{int(number):03}" for kind, number in re.findall(r"_(error|warning)\((\d+)", source)}

    assert set(re.findall(r"``university_enrollments\.([EW]\d{3})``", TEXT)) == made


def test_every_address() -> None:
    table = TEXT.partition("What is at ``sso/``:")[2].partition("\n\n\n")[0].partition("The pages extend")[0]
    told = set(re.findall(r"^``sso/([^`]*)``", table, re.MULTILINE))

    assert told == {str(pattern.pattern).replace("path:", "") for pattern in urls.urlpatterns}
