"""Failures in words that are fit for a log: what kind and where, never what the values were."""

from __future__ import annotations

import traceback


def describe_failure(error: BaseException) -> str:
    """Return the class of `error` and the line that raised it, such as ``KeyError at seats.py:42``.

    The message is left out, and so are the values a traceback would show: they can be student IDs and addresses.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    own = [frame for frame in frames if "program_enrollments" in frame.filename] or frames
    last = own[-1]
    file_name = last.filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} at {file_name}:{last.lineno}"
