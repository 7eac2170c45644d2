"""Lines of a re-key: staged with whom each one names, as things are (ADR 0026)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from program_enrollments.api.jobs.lines import SPACING, UNUSABLE
from program_enrollments.api.learners.identity import Identity, check_identity
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.student_keys import fetch_current_keys, find_vacant
from program_enrollments.data import FileWord, RekeyWord
from program_enrollments.models import Job, Learner
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, is_pseudonym, is_retired_pseudonym, strip_invisible
from program_enrollments.sql.bulk import select_rows
from program_enrollments.tabular_files import Record


class RekeyLine(NamedTuple):
    """One line as it is staged: the IDs as given, and normalized as far as they can be used."""

    line: int
    old: str = ""
    new: str = ""
    old_normalized: str = ""
    new_normalized: str = ""
    word: str = ""
    detail: str = ""


def read_rekey_line(record: Record) -> RekeyLine:
    """Read one record of a file of student IDs."""
    if record.problem:
        return RekeyLine(record.line, word=FileWord.UNREADABLE.value, detail=record.problem[:500])
    old, new = (cell and strip_invisible(cell) for cell in record.cells)
    shown = RekeyLine(record.line, UNUSABLE.sub("\ufffd", old)[:255], UNUSABLE.sub("\ufffd", new)[:255])
    detail = _refuse_text(old) or _refuse_text(new)
    if detail:
        return shown._replace(word=RekeyWord.INVALID.value, detail=detail)
    former = check_identity(student_key=old, email="", domains=(), allow_pseudonyms=bool(new))
    wanted = check_identity(student_key=new, email="", domains=())
    detail = _refuse_ids(former, wanted)
    return shown._replace(
        old_normalized=former.student_key_normalized if former.valid else "",
        new_normalized=wanted.student_key_normalized if wanted.valid else "",
        word=RekeyWord.INVALID.value if detail else "",
        detail=detail,
    )


def _refuse_text(text: str) -> str:
    if UNUSABLE.search(text):
        return _("A student ID has control characters.")
    if len(text) > MAX_IDENTITY_LENGTH:
        return _("A student ID has at most %(limit)d characters.") % {"limit": MAX_IDENTITY_LENGTH}
    return ""


def _refuse_ids(former: Identity, wanted: Identity) -> str:
    if not former.student_key:
        return _("The line has no old ID.")
    if not former.valid or is_retired_pseudonym(former.student_key_normalized):
        return _("The old ID cannot be a student ID.")
    if wanted.student_key and not wanted.valid:
        if is_pseudonym(wanted.student_key_normalized):
            return _("The new ID has the form of the names that this platform gives to released and retired learners.")
        return _("The new ID cannot be a student ID.")
    return ""


def stage_rekeys(job: Job, lines: Sequence[RekeyLine], *, now: datetime) -> list[tuple[Any, ...]]:
    """Return the values of staging rows. A constant number of statements.

    An ID that is honored for a learner who has another one now names that learner, unless the line releases it.
    """
    renamed = {line.old_normalized for line in lines if line.old_normalized and line.new}
    current = fetch_current_keys(school_id=job.school_id, student_keys=renamed, now=now)
    names = [
        current.get(line.old_normalized, line.old_normalized) if line.new else line.old_normalized for line in lines
    ]
    holders = _fetch_holders(job, {name for name in names if name})
    return [
        (
            job.pk,
            place * SPACING,
            line.line,
            line.old,
            line.new,
            "",
            "",
            "",
            None,
            name,
            line.new_normalized,
            line.new_normalized if not line.word and line.new_normalized != name else "",
            False,
            line.word,
            line.detail,
            False,
            None,
            holders.get(name),
        )
        for place, (line, name) in enumerate(zip(lines, names, strict=True), job.cursor + 1)
    ]


def _fetch_holders(job: Job, names: Collection[str]) -> Mapping[str, int]:
    """Return who has these IDs, by ID. Two statements at most."""
    rows = select_rows(
        Learner, fields=LockedLearner._fields, among=("student_key_normalized", names), school=job.school_id
    )
    learners = list(map(LockedLearner._make, rows))
    vacant = find_vacant(learners=learners)
    return {
        learner.student_key_normalized: learner.id
        for learner in learners
        if learner.student_key_normalized and learner.id not in vacant
    }
