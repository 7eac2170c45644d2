"""What a run measures: everything, or enough for a look."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes and numbers of samples. At least three of each time are taken, and what is compared takes turns.

    `write_samples` gives, by rows of a sample, how many samples a bulk write has; `large_write` the rows of the one
    that only the smallest and the largest tables meet, without course runs; `others` the enrollments that are there
    before; `file_samples`, by lines of a file, how often it is sent.
    """

    others: tuple[int, ...]
    write_samples: dict[int, int]
    large_write: int | None
    http_others: tuple[int, ...]
    sign_in_samples: int
    read_samples: int
    swept: int
    sweep_samples: int = 3
    crossings: int = 3
    body_rows: int = 10_000
    small_list: int = 1_000
    page_samples: int = 5
    file_samples: dict[int, int] = field(default_factory=lambda: {2_000: 3})

    def narrowed(self, *, others: Sequence[int], rows: Collection[int] | None) -> Plan:
        """Return the plan with these numbers of other enrollments, and with bulk writes of so many `rows` only."""
        kept = [self.large_write, *self.write_samples] if rows is None else rows
        return replace(
            self,
            others=tuple(sorted(others)),
            http_others=tuple({min(others), max(others)}),
            write_samples={each: samples for each, samples in self.write_samples.items() if each in kept},
            large_write=self.large_write if self.large_write in kept else None,
            file_samples={each: samples for each, samples in self.file_samples.items() if rows is None or each in rows},
        )


FULL = Plan(
    others=(0, 100_000, 1_000_000),
    write_samples={1_000: 5, 10_000: 3},
    large_write=100_000,
    http_others=(0, 1_000_000),
    sign_in_samples=15,
    read_samples=25,
    swept=100_000,
    file_samples={100_000: 3, 1_000_000: 1},
)
QUICK = Plan(
    others=(10_000,),
    write_samples={1_000: 3},
    large_write=None,
    http_others=(10_000,),
    sign_in_samples=9,
    read_samples=5,
    swept=2_000,
)
WAITING = (0, 1, 20)
"""Course runs that wait for somebody who signs in."""
