"""Dependents: rows of a file whose outcomes depend on each other, so that they are applied together.

An address or a student ID goes from one person of the file to another, or a person is given an address in one of
several lines. Such rows are renumbered to stand behind the first of them, in the gap that its number leaves, so that
no chunk cuts them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments.api.jobs.claims import hold_step
from program_enrollments.api.jobs.lines import SPACING
from program_enrollments.api.jobs.staging import renumber_staged, update_staged
from program_enrollments.data import JobKind, JobMode, RekeyWord, Word
from program_enrollments.models import Job, Learner, StagedRow
from program_enrollments.sql.occurrence import find_occurring

SHARED_ADDRESS = gettext_lazy(
    "The address belongs to the student ID %(owner)s, which the file does not name. If both are one person, change the "
    "ID first; if not, correct the address."
)
"""What is said of a line with the address of somebody whom the file does not name: probably a change of ID."""

MAX_GROUP = 1_000
"""Rows that may depend on each other: they are written in one transaction."""


def group_dependents(job: Job) -> None:
    """Put rows that depend on each other behind each other, and refuse groups that are too large.

    Doing it again changes nothing. Raises JobTaken.
    """
    if job.mode == JobMode.SNAPSHOT:
        _refuse_addresses_of_leavers(job)
    for group in _find_groups(job):
        numbers = sorted(group)
        if len(numbers) > MAX_GROUP:
            for start in range(0, len(numbers), MAX_GROUP):
                hold_step(job, partial(_refuse_group, job, numbers[start : start + MAX_GROUP]))
            continue
        wanted = [numbers[0] // SPACING * SPACING + place for place in range(len(numbers))]
        if numbers != wanted:
            hold_step(job, partial(_renumber, job, numbers, wanted))


def _renumber(job: Job, numbers: list[int], wanted: list[int]) -> None:
    moving = {number: place for number, place in zip(numbers, wanted, strict=True) if number != place}
    rows = list(StagedRow.objects.filter(job_id=job.pk, number__among=moving.keys()).order_by("number"))
    if rows:
        renumber_staged(rows, numbers=[moving[row.number] for row in rows])


def _refuse_group(job: Job, numbers: list[int]) -> None:
    if job.kind == JobKind.STUDENT_KEYS:
        word = RekeyWord.INVALID.value
        sentence = _(
            "This line is one of more than %(limit)d whose IDs change hands among each other. Send them in several "
            "files, so that fewer depend on each other."
        )
    else:
        word = Word.INVALID_IDENTITY.value
        sentence = _(
            "This row is one of more than %(limit)d whose addresses change hands among each other. Send them in "
            "several files, so that fewer depend on each other."
        )
    rows = StagedRow.objects.filter(job_id=job.pk, number__among=numbers, word="")
    rows.update(word=word, detail=sentence % {"limit": MAX_GROUP})


def _refuse_addresses_of_leavers(job: Job) -> None:
    """Refuse rows with the address of somebody whom the snapshot does not name.

    That may be one person with two IDs.
    """
    rows = StagedRow.objects.filter(job_id=job.pk, word="").exclude(email_owner="").order_by("number")
    behind = 0
    while batch := list(rows.filter(number__gt=behind)[:MAX_GROUP]):
        behind = batch[-1].number
        owners = {row.email_owner for row in batch}
        present = find_occurring(StagedRow, index="ue_staged_row_name", field="name", values=owners, job=job.pk)
        strangers = [row for row in batch if row.email_owner not in present]
        named = Learner.objects.filter(school_id=job.school_id, student_key_normalized__among=owners - present)
        shown = dict(named.values_list("student_key_normalized", "student_key"))
        for row in strangers:
            row.word = Word.INVALID_IDENTITY.value
            owner = (shown.get(row.email_owner) or row.email_owner)[:200]
            row.detail = str(SHARED_ADDRESS) % {"owner": owner}
        if strangers:
            hold_step(job, partial(update_staged, strangers, fields=("word", "detail")))


def _find_groups(job: Job) -> Iterator[set[int]]:
    """Return the groups: sets of row numbers of which each depends on another one of the set."""
    parents: dict[int, int] = {}

    def root(number: int) -> int:
        while parents.setdefault(number, number) != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for one, other in _edges(job):
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    groups: dict[int, set[int]] = defaultdict(set)
    for number in parents:
        groups[root(number)].add(number)
    return (group for group in groups.values() if len(group) > 1)


def _edges(job: Job) -> Iterator[tuple[int, int]]:
    rows = StagedRow.objects.filter(job_id=job.pk).order_by()
    good = rows.filter(word="")
    yield from _pairs(good.exclude(email_owner="").values_list("number", "email_owner"), job)
    if job.kind == JobKind.COURSE_ENROLLMENTS:
        # Several lines about one person: the first of them gives the address.
        yield from _pairs(good.filter(alters=True).exclude(name="").values_list("number", "name"), job)


def _pairs(rows: object, job: Job) -> Iterator[tuple[int, int]]:
    """Pair rows with all good rows that name the person they depend on."""
    batch: list[tuple[int, str]] = []

    def pairs() -> Iterator[tuple[int, int]]:
        named: dict[str, list[int]] = defaultdict(list)
        names = {name for _, name in batch}
        found = StagedRow.objects.filter(job_id=job.pk, word="", name__among=names).order_by()
        for number, name in found.values_list("number", "name"):
            named[name].append(number)
        for number, name in batch:
            yield from ((number, other) for other in named[name] if other != number)
        batch.clear()

    for row in rows.iterator(chunk_size=1_000):  # type: ignore[attr-defined]
        batch.append(row)
        if len(batch) == 1_000:
            yield from pairs()
    if batch:
        yield from pairs()
