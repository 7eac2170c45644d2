"""Reads through `api`, in the stand's process, and the bare queries beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.crowds import (
    LEARNER,
    LEDGER,
    POSITION,
    PREEMPTIVE,
    PREEMPTIVE_COURSE,
    REAL,
    REAL_COURSE,
    SEAT,
    USER,
)
from benchmarks.driver import get_driver
from benchmarks.sampling import Sample, measure
from benchmarks.world import PROGRAM_UUID, World, course_id, get_world, student_key

PAGE = 100
RUN, CURRICULUM = "university_enrollments_courserun", "university_enrollments_curriculum"
PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}


class Spot(NamedTuple):
    """A place in the lists: the learner's ID and the feed's position before it, both also as cursors, and the student
    ID of a learner there.
    """

    learner: int
    position: int
    list_cursor: str
    feed_cursor: str
    student_key: str


def find_spots(prefix: str, count: int) -> dict[str, Spot]:
    """Return the start, the middle and the end of what the crowd `prefix` is listed in."""
    from program_enrollments.api.reads.changes import cursor_at as encode_feed  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.api.reads.cursors import Cursor  # noqa: PLC0415

    world, driver = get_world(), get_driver()
    ((last,),) = driver.execute(
        f"SELECT last_position FROM {POSITION} WHERE program_id = %s", [world.program]
    ).fetchall()
    spots = {}
    for name, share in PLACES.items():
        key = student_key(prefix, max(1, int((count - PAGE) * share)))
        ((learner,),) = driver.execute(
            f"SELECT id FROM {LEARNER} WHERE school_id = %s AND student_key_normalized = %s", [world.school, key]
        ).fetchall()
        position = int((last - PAGE) * share)
        feed_cursor = encode_feed(program_id=world.program, position=position)
        spots[name] = Spot(learner - 1, position, Cursor(learner - 1).encode(), feed_cursor, key)
    return spots


def program_page(cursor: str) -> Sample:
    """A page of 100 of a program's enrollments."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import EnrollmentFilters  # noqa: PLC0415
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    return _page(
        lambda: api.fetch_program_enrollments(
            program=program, filters=EnrollmentFilters(), cursor=cursor, page_size=PAGE
        )
    )


def course_page(cursor: str) -> Sample:
    """A page of 100 of the enrollments in a course run."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.data import EnrollmentFilters  # noqa: PLC0415
    from program_enrollments.models import CourseRun, Program  # noqa: PLC0415

    program, run = Program.objects.get(uuid=PROGRAM_UUID), CourseRun.objects.get(course_id=course_id(0))
    return _page(
        lambda: api.fetch_course_enrollments(
            program=program, course_run=run, filters=EnrollmentFilters(), cursor=cursor, page_size=PAGE
        )
    )


def changes_page(cursor: str) -> Sample:
    """A page of 100 of a program's feed of changes."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    return _page(lambda: api.fetch_changes(program=program, after=cursor, page_size=PAGE))


def look_up(key: str) -> Sample:
    """A learner, and everything that is known."""
    from program_enrollments import api  # noqa: PLC0415  (needs the stand's settings)
    from program_enrollments.models import Program  # noqa: PLC0415

    program = Program.objects.get(uuid=PROGRAM_UUID)
    return measure(lambda: api.look_up_learner(program=program, name=key))


def _page(fetch: Callable[[], Any]) -> Sample:
    pages: list[Any] = []
    sample = measure(lambda: pages.append(fetch()))
    if len(pages[0].rows) < PAGE:
        raise RuntimeError(f"A page of {PAGE} was asked for, {len(pages[0].rows)} rows came.")
    return sample


def bare_program_page(after: int) -> Sample:
    """The keyset query behind `program_page`: both tables, one statement."""

    def half(table: str, account: str) -> str:
        # The page is cut first: left to itself, MariaDB may begin at a joined table and sort half the program.
        page = f"SELECT learner_id, status, curriculum_id FROM {table} {_behind('program_id')}"
        return (
            f"SELECT e.learner_id AS learner, l.student_key, l.email AS given, l.user_id, e.status, c.uuid, u.username,"
            f" u.email FROM ({page}) e JOIN {LEARNER} l ON l.id = e.learner_id"
            f" JOIN {CURRICULUM} c ON c.id = e.curriculum_id {account} JOIN {USER} u ON u.id = l.user_id"
        )

    return _bare(
        lambda world: (
            _both(half(REAL, ""), half(PREEMPTIVE, "LEFT")),
            [*_place(world.program), after, *_place(world.program), after],
        )
    )


def bare_course_page(after: int) -> Sample:
    """The keyset query behind `course_page`."""

    def half(table: str, programs: str) -> str:
        page = (
            f"SELECT program_id, learner_id, status, course_staff FROM {table} {_behind('program_id', 'course_run_id')}"
        )
        return (
            f"SELECT e.learner_id AS learner, l.student_key, l.email AS given, l.user_id, e.status, c.uuid,"
            f" e.course_staff FROM ({page}) e JOIN {LEARNER} l ON l.id = e.learner_id"
            f" LEFT JOIN {programs} p ON p.program_id = e.program_id AND p.learner_id = e.learner_id"
            f" LEFT JOIN {CURRICULUM} c ON c.id = p.curriculum_id"
        )

    return _bare(
        lambda world: (
            _both(half(REAL_COURSE, REAL), half(PREEMPTIVE_COURSE, PREEMPTIVE)),
            [*_place(world.program, world.runs[0]), after] * 2,
        )
    )


def _behind(*place: str) -> str:
    """Write which rows are on a page: a hundred and one of those at `place`, behind a learner."""
    if get_driver().vendor != "mysql":
        at = " AND ".join(f"{column} = %s" for column in place)
        return f"WHERE {at} AND learner_id > %s ORDER BY learner_id LIMIT {PAGE + 1}"
    # With an equality MariaDB would read half the list for a page in its middle.
    at = " AND ".join(f"{column} >= %s AND {column} <= %s" for column in place)
    return f"WHERE {at} AND learner_id > %s ORDER BY {', '.join(place)}, learner_id LIMIT {PAGE + 1}"


def _place(*values: int) -> list[int]:
    """Return the parameters of a place as `_behind` writes it."""
    return [value for value in values for _ in range(2 if get_driver().vendor == "mysql" else 1)]


def bare_changes_page(after: int) -> Sample:
    """The keyset query behind `changes_page`."""
    statement = (
        f"SELECT e.*, r.course_id, u.username FROM {LEDGER} e LEFT JOIN {RUN} r ON r.id = e.course_run_id"
        f" LEFT JOIN {USER} u ON u.id = e.actor_id WHERE e.program_id = %s AND e.position > %s AND e.position <= %s"
        f" ORDER BY e.position"
    )
    return _bare(lambda world: (statement, [world.program, after, after + PAGE + 1]))


def bare_look_up(key: str) -> Sample:
    """The queries behind `look_up`: learner and program enrollment, courses, seats, the last changes."""
    world, driver = get_world(), get_driver()
    driver.statements = 0
    started = time.perf_counter()
    ((learner, user, *_),) = driver.execute(
        f"SELECT l.id, l.user_id, l.email, u.username, r.status, p.status FROM {LEARNER} l"
        f" LEFT JOIN {USER} u ON u.id = l.user_id"
        f" LEFT JOIN {REAL} r ON r.learner_id = l.id AND r.program_id = %s"
        f" LEFT JOIN {PREEMPTIVE} p ON p.learner_id = l.id AND p.program_id = %s"
        f" WHERE l.school_id = %s AND l.student_key_normalized = %s",
        [world.program, world.program, world.school, key],
    ).fetchall()
    courses = driver.execute(
        f"SELECT c.course_id, e.status, e.course_staff FROM {REAL_COURSE} e JOIN {RUN} c ON c.id = e.course_run_id"
        f" WHERE e.learner_id = %s AND e.program_id = %s UNION ALL"
        f" SELECT c.course_id, e.status, e.course_staff FROM {PREEMPTIVE_COURSE} e JOIN {RUN} c"
        f" ON c.id = e.course_run_id WHERE e.learner_id = %s AND e.program_id = %s",
        [learner, world.program] * 2,
    ).fetchall()
    if user is not None and courses:
        driver.execute(f"SELECT course_id, mode, is_active FROM {SEAT} WHERE user_id = %s", [user]).fetchall()
    driver.execute(f"SELECT * FROM {LEDGER} WHERE learner_id = %s ORDER BY id DESC LIMIT 10", [learner]).fetchall()
    return Sample(time.perf_counter() - started, driver.statements)


def _both(one: str, other: str) -> str:
    return f"SELECT * FROM ({one}) a UNION ALL SELECT * FROM ({other}) b ORDER BY learner LIMIT {PAGE + 1}"


def _bare(query: Callable[[World], tuple[str, list[Any]]]) -> Sample:
    world, driver = get_world(), get_driver()
    statement, params = query(world)
    driver.statements = 0
    started = time.perf_counter()
    rows = driver.execute(statement, params).fetchall()
    sample = Sample(time.perf_counter() - started, driver.statements)
    if len(rows) < PAGE:
        raise RuntimeError(f"A page of {PAGE} was asked for, {len(rows)} rows came.")
    return sample
