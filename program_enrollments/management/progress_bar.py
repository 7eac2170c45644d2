"""A progress bar for people at a terminal. A timer's log file gets none."""

from __future__ import annotations

from types import TracebackType
from typing import Never, Self

from django.core.management.base import OutputWrapper
from tqdm import tqdm


class _Stream:
    """A command's stream for tqdm: it writes text unchanged, without adding line ends or colors."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.write(text, str, "")

    def flush(self) -> None:
        self._out.flush()


class ProgressBar:
    """A bar on `out` while the `with` block runs, if `out` is a terminal and `wanted`.

    `unit` names what is counted.
    """

    def __init__(self, out: OutputWrapper, *, unit: str, wanted: bool) -> None:
        self.is_shown = wanted and out.isatty()
        self._bar: tqdm[Never] = tqdm(
            file=_Stream(out), unit=unit, disable=not self.is_shown, leave=False, dynamic_ncols=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def advance(self, done: int, total: int) -> None:
        """Count `done` more of `total`, which can be more than were counted at the start."""
        self._bar.total = max(total, self._bar.n + done)
        self._bar.update(done)
        self._bar.refresh()
