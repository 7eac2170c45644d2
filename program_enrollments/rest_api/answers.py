"""Answers of writes: one word a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework.response import Response

from program_enrollments.data import RowOutcome

ALL_GOOD, MIXED, ALL_BAD = 200, 207, 422


def rows_response(outcomes: Sequence[RowOutcome], *, detailed: bool = False) -> Response:
    """Return `{key: word}` with 200 where all rows are good (or there are none), 422 where none is, else 207.

    `detailed`: a list in the request's order instead, with what was before and why a row was refused.
    """
    good = sum(outcome.good for outcome in outcomes)
    status = ALL_GOOD if good == len(outcomes) else MIXED if good else ALL_BAD
    if detailed:
        return Response([_detailed(outcome) for outcome in outcomes], status=status)
    return Response({outcome.key: outcome.word for outcome in outcomes}, status=status)


def _detailed(outcome: RowOutcome) -> dict[str, Any]:
    return {
        "key": outcome.key,
        "word": outcome.word,
        "good": outcome.good,
        "changed": outcome.changed,
        "before": outcome.before,
        "after": outcome.word if outcome.good else outcome.before,
        "detail": outcome.detail,
    }
