"""Lines: what the cells of one line ask for, and what they alone show to be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from program_enrollments.api.jobs.formats import Line
from program_enrollments.data import (
    CourseEnrollmentRequest,
    CourseStatus,
    FileWord,
    JobKind,
    ProgramEnrollmentRequest,
    ProgramStatus,
    Word,
)
from program_enrollments.models import CourseRun
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, normalize_identity, parse_uuid, strip_invisible

SPACING = 1_024
"""Numbers from one staging row to the next; a group of rows that depend on each other fits in between."""

UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Control characters: no student ID, address or status has any."""

PROGRAM_STATUSES, COURSE_STATUSES = frozenset(ProgramStatus.values), frozenset(CourseStatus.values)
TRUTH = {"": None, "true": True, "false": False}

FindRun = Callable[[str], Sequence[CourseRun]]


class ReadLine(NamedTuple):
    """One line as it is staged: the request in it, or the word that refuses it.

    `hides_identity`: nobody can tell whom the line is about, so that a snapshot must not remove anybody for it.
    """

    line: int
    request: ProgramEnrollmentRequest | CourseEnrollmentRequest
    detail_column: str
    course_key: str
    course_run_id: int | None
    word: str
    detail: str
    hides_identity: bool


def read_line(*, kind: str, line: Line, find_run: FindRun | None) -> ReadLine:
    """Read one line of a file of this kind; of a course file, `find_run` returns the runs that a key may mean."""
    cells = line.cells
    student_key, email, status = _cell(cells.get("student_key")), _cell(cells.get("email")), _cell(cells.get("status"))
    if student_key and email and normalize_identity(student_key) == normalize_identity(email):
        # Lists and exports show a learner without an ID under the address.
        student_key = ""
    word, detail = "", ""
    hides_identity = bool(line.problem)
    if line.problem:
        word, detail = FileWord.UNREADABLE.value, line.problem
    elif any(UNUSABLE.search(value) for value in (student_key, email)):
        word, detail = Word.INVALID_IDENTITY.value, _("The student ID or the address has control characters.")
        hides_identity = True
    elif not (student_key or email) or max(len(student_key), len(email)) > MAX_IDENTITY_LENGTH:
        word, hides_identity = Word.INVALID_IDENTITY.value, True
    statuses = PROGRAM_STATUSES if kind == JobKind.PROGRAM_ENROLLMENTS else COURSE_STATUSES
    if status not in statuses and word != FileWord.UNREADABLE:
        word, detail = Word.INVALID_STATUS.value, ""
    if kind == JobKind.PROGRAM_ENROLLMENTS:
        return _program_line(line, (student_key, email, status), word, detail, hides_identity=hides_identity)
    return _course_line(line, (student_key, email, status), word, detail, hides_identity, find_run)


def _program_line(line: Line, given: tuple[str, str, str], word: str, detail: str, *, hides_identity: bool) -> ReadLine:
    text = _cell(line.cells.get("curriculum_uuid"))
    uuid = parse_uuid(text) if text else None
    if text and uuid is None and not word:
        word, detail = Word.INVALID_CURRICULUM.value, _("The curriculum is not named by a UUID.")
    request = ProgramEnrollmentRequest(str(line.number), *map(storable, given[:2]), storable(given[2], 64), uuid)
    return ReadLine(line.number, request, str(uuid or ""), "", None, word, detail, hides_identity)


def _course_line(
    line: Line,
    given: tuple[str, str, str],
    word: str,
    detail: str,
    hides_identity: bool,
    find_run: FindRun | None,
) -> ReadLine:
    key = _cell(line.cells.get("course_id"))
    runs = find_run(key) if find_run is not None and key else ()
    truth = _cell(line.cells.get("course_staff")).lower()
    if word != FileWord.UNREADABLE:
        if len(runs) != 1:
            word, detail = FileWord.INVALID_COURSE.value, _describe_runs(runs)
        elif not word and truth not in TRUTH:
            word, detail = Word.INVALID_STATUS.value, _("course_staff must be true, false or blank.")
    run = runs[0] if len(runs) == 1 else None
    request = CourseEnrollmentRequest(
        str(line.number), *map(storable, given[:2]), storable(given[2], 64), TRUTH.get(truth)
    )
    column = truth if truth in TRUTH else ""
    run_id = run.pk if run is not None else None
    shown = run.course_id if run is not None else storable(key)
    return ReadLine(line.number, request, column, shown, run_id, word, detail, hides_identity)


def _describe_runs(runs: Sequence[CourseRun]) -> str:
    if not runs:
        return _("The program has no course run with this key.")
    names = ", ".join(sorted(str(run.course_id) for run in runs))
    sentence = _("Several course runs of the program carry this key: %(names)s. Name one by its course key.")
    return str(sentence % {"names": names})[:500]


def _cell(text: str | None) -> str:
    return strip_invisible(text) if text else ""


def storable(text: str, length: int = MAX_IDENTITY_LENGTH) -> str:
    """Return a cell as every database takes it: without NUL, and cut."""
    return text.replace("\x00", "\ufffd")[:length]
