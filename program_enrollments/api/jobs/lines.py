"""Lines: what the cells of one line ask for, and what they alone show to be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

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
from program_enrollments.tabular_files import Record

SPACING = 1_024
"""Numbers from one staging row to the next; a group of rows that depend on each other fits in between."""

UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Control characters: no student ID and no address has any."""

PROGRAM_STATUSES, COURSE_STATUSES = frozenset(ProgramStatus.values), frozenset(CourseStatus.values)
TRUTH = {"": None, "true": True, "false": False}
MAX_STATUS = 64

FindRun = Callable[[str], Sequence[CourseRun]]


class ReadLine(NamedTuple):
    """One line as it is staged: the request in it, or the word that refuses it.

    `hides_identity`: nobody can tell whom the line is about, so that a snapshot must not remove anybody for it.
    """

    line: int
    request: ProgramEnrollmentRequest | CourseEnrollmentRequest
    detail_column: str = ""
    course_key: str = ""
    course_run_id: int | None = None
    word: str = ""
    detail: str = ""
    hides_identity: bool = False


def read_line(*, kind: str, record: Record, find_run: FindRun | None) -> ReadLine:
    """Read one record of a file of this kind.

    `find_run` returns the course runs that a key may mean; program files need none.
    """
    if record.problem:
        nothing = ProgramEnrollmentRequest(str(record.line), "", "", "")
        word = FileWord.UNREADABLE.value
        return ReadLine(record.line, nothing, word=word, detail=record.problem[:500], hides_identity=True)
    cells = [cell and strip_invisible(cell) for cell in record.cells]
    if kind == JobKind.PROGRAM_ENROLLMENTS:
        return _read_program_line(record.line, cells)
    return _read_course_line(record.line, cells, find_run)


class _Person(NamedTuple):
    """What a line says of whom it is about, and what of that cannot be used."""

    student_key: str
    email: str
    word: str = ""
    detail: str = ""
    is_hidden: bool = False


def _read_person(student_key: str, email: str) -> _Person:
    if not email and student_key.isascii() and student_key.isprintable() and 0 < len(student_key) < 256:
        # Nearly all lines.
        return _Person(student_key, "")
    invalid = Word.INVALID_IDENTITY.value
    if UNUSABLE.search(student_key) or UNUSABLE.search(email):
        plain = _Person(UNUSABLE.sub("\ufffd", student_key)[:255], UNUSABLE.sub("\ufffd", email)[:255])
        return plain._replace(
            word=invalid, detail=_("The student ID or the address has control characters."), is_hidden=True
        )
    if not (student_key or email) or max(len(student_key), len(email)) > MAX_IDENTITY_LENGTH:
        cut = _Person(student_key[:MAX_IDENTITY_LENGTH], email[:MAX_IDENTITY_LENGTH], invalid, is_hidden=True)
        limit = _("A student ID or e-mail address has at most %(limit)d characters.") % {"limit": MAX_IDENTITY_LENGTH}
        return cut._replace(detail=limit) if student_key or email else cut
    if student_key and email and normalize_identity(student_key) == normalize_identity(email):
        # Lists and exports show a learner without an ID under the address.
        student_key = ""
    return _Person(student_key, email)


def _read_program_line(line: int, cells: Sequence[str]) -> ReadLine:
    student_key, email, status, curriculum = cells
    person = _read_person(student_key, email)
    uuid = parse_uuid(curriculum) if curriculum else None
    word, detail = person.word, person.detail
    if status not in PROGRAM_STATUSES:
        word, detail = Word.INVALID_STATUS.value, ""
    elif curriculum and uuid is None and not word:
        word, detail = Word.INVALID_CURRICULUM.value, _("The curriculum is not named by a UUID.")
    return ReadLine(
        line,
        ProgramEnrollmentRequest(str(line), person.student_key, person.email, _storable(status), uuid),
        detail_column=str(uuid) if uuid is not None else "",
        word=word,
        detail=detail,
        hides_identity=person.is_hidden,
    )


def _read_course_line(line: int, cells: Sequence[str], find_run: FindRun | None) -> ReadLine:
    key, student_key, email, status, staff = cells
    person = _read_person(student_key, email)
    runs = find_run(key) if find_run is not None and key else ()
    run = runs[0] if len(runs) == 1 else None
    staff = staff.lower()
    word, detail = person.word, person.detail
    if run is None:
        word, detail = FileWord.INVALID_COURSE.value, _describe_runs(runs)
    elif status not in COURSE_STATUSES:
        word, detail = Word.INVALID_STATUS.value, ""
    elif staff not in TRUTH:
        word, detail = Word.INVALID_STATUS.value, _("course_staff must be true, false or blank.")
    return ReadLine(
        line,
        CourseEnrollmentRequest(str(line), person.student_key, person.email, _storable(status), TRUTH.get(staff)),
        detail_column=staff if staff in TRUTH else "",
        course_key=run.course_id if run is not None else UNUSABLE.sub("\ufffd", key)[:255],
        course_run_id=run.pk if run is not None else None,
        word=word,
        detail=detail,
        hides_identity=person.is_hidden,
    )


def _describe_runs(runs: Sequence[CourseRun]) -> str:
    if not runs:
        return _("The program has no course run with this key.")
    names = ", ".join(sorted(str(run.course_id) for run in runs))
    sentence = _("Several course runs of the program carry this key: %(names)s. Name one by its course key.")
    return str(sentence % {"names": names})[:500]


def _storable(status: str) -> str:
    """Return a status as every database takes it."""
    return status if status.isascii() and len(status) <= MAX_STATUS else UNUSABLE.sub("\ufffd", status)[:MAX_STATUS]
