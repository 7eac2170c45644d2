"""Answers of writes: one word a row."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.response import Response

from program_enrollments.data import RowOutcome

ALL_GOOD, MIXED, ALL_BAD = 200, 207, 422


def rows_response(outcomes: Sequence[RowOutcome]) -> Response:
    """Return `{key: word}` with 200 where all rows are good (or there are none), 422 where none is, else 207."""
    good = sum(outcome.good for outcome in outcomes)
    status = ALL_GOOD if good == len(outcomes) else MIXED if good else ALL_BAD
    return Response({outcome.key: outcome.word for outcome in outcomes}, status=status)
