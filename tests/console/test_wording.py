"""Words of the console that have a direction: a translation from right to left turns them around."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation

from program_enrollments.console.file_words import row_text
from program_enrollments.console.wording import change_steps, outcome_text
from program_enrollments.data import RowOutcome

pytestmark = pytest.mark.once


@pytest.fixture
def _from_right_to_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language whose translation has the arrow the other way."""
    with translation.override("de"):
        catalog = translation.trans_real.catalog()  # type: ignore[attr-defined]
        monkeypatch.setitem(catalog._catalog._catalogs[0], "%(before)s → %(after)s", "%(before)s ← %(after)s")
        yield


@pytest.mark.usefixtures("_from_right_to_left")
def test_the_arrow_of_a_change_can_be_turned_around() -> None:
    change = {"kind": "program_enrollment", "before": "enrolled", "after": "ended", "actor": "", "source": "api"}
    row = {"word": "ended", "before": "enrolled", "after": "ended", "changed": True, "detail": ""}

    shown = [
        change_steps(change),
        row_text(row),
        outcome_text(RowOutcome("S-1", "ended", good=True, before="enrolled", changed=True)),
    ]

    assert shown == ["eingeschrieben ← beendet"] * 3


def test_elsewhere_it_points_to_what_comes_after() -> None:
    row = {"word": "ended", "before": "enrolled", "after": "ended", "changed": True, "detail": ""}

    assert row_text(row) == "enrolled → ended"
