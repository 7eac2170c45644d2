"""Sweeps through `api`, in the stand's process."""

from __future__ import annotations

from benchmarks.sampling import Sample, measure


def sweep(expected: int) -> Sample:
    """Realize everybody who can be; there must be `expected` of them, and nothing may fail."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)

    reports = []
    sample = measure(lambda: reports.append(api.sweep()))
    (report,) = reports
    if report.done.linked != expected or report.failed_learners or report.done.failures:
        raise RuntimeError(f"The sweep linked {report.done.linked} learners of {expected}.")
    return sample
