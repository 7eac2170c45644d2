"""Findings: what a client of the API would stumble over, and what a check found missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STUMBLES = "stumbles"
SKIPPED = "skipped"


class Mismatch(Exception):
    """Ends a check: the answer is not the one that gateways expect."""


class NotThere(Exception):
    """Ends a check that has nothing to look at. Its text is the reason."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check that did not simply pass."""

    check: str
    kind: str
    detail: str


@dataclass(slots=True)
class Findings:
    """All outcomes of a run."""

    passed: list[str] = field(default_factory=list)
    others: list[Finding] = field(default_factory=list)

    @property
    def stumbles(self) -> list[Finding]:
        """Findings that a gateway would stumble over."""
        return [each for each in self.others if each.kind == STUMBLES]

    @contextmanager
    def checking(self, check: str) -> Iterator[None]:
        """Keep how a check ends. Whatever the installation answers, the next check still runs."""
        try:
            yield
        except Mismatch as error:
            self.others.append(Finding(check, STUMBLES, str(error)))
        except NotThere as error:
            self.others.append(Finding(check, SKIPPED, str(error)))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # An answer of a shape that nobody foresaw is a stumble as well.
            detail = f"An answer has another shape than gateways read ({type(error).__name__}: {error})."
            self.others.append(Finding(check, STUMBLES, detail))
        else:
            self.passed.append(check)


def expect(condition: object, detail: str) -> None:
    """Raise Mismatch with `detail` unless `condition` holds."""
    if not condition:
        raise Mismatch(detail)
