"""Crowds: people and their enrollments in bulk, by set-based SQL, as they stand before something is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.world import PROVIDER, SLUG, World, get_world

LEARNER = "university_enrollments_learner"
REAL, PREEMPTIVE = "university_enrollments_programenrollment", "university_enrollments_preemptiveprogramenrollment"
REAL_COURSE, PREEMPTIVE_COURSE = (
    "university_enrollments_programcourseenrollment",
    "university_enrollments_preemptivecourseenrollment",
)
LEDGER, POSITION = "university_enrollments_ledgerentry", "university_enrollments_ledgerposition"
USER, IDENTITY = "auth_user", "social_auth_usersocialauth"
SEAT, ROLE, ADDRESS = "demo_lms_courseenrollment", "demo_lms_courseaccessrole", "demo_lms_emailaddress"
NUMBERS = "bench_numbers"
NUMBERED = (ROLE, SEAT, LEDGER, REAL_COURSE, PREEMPTIVE_COURSE, REAL, PREEMPTIVE, LEARNER, IDENTITY, ADDRESS, USER)
"""Tables that measuring fills, in an order in which rows can go, all with a primary key that grows."""
MAX_NUMBER = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Crowd:
    """`count` people whose student IDs begin with `prefix`, and what they have.

    `accounts`: "none" has one, "all", "half", or "unknown": all do, but the app was not there when they signed on, so
    that no learner is linked. `learners`: the school knows them. `enrolled`: in the program; `course`: in the course
    run that bulk writes are about; `runs`: in so many others; `ledger`: and the feed says so.
    """

    prefix: str
    count: int
    accounts: str = "none"
    learners: bool = True
    enrolled: bool = False
    course: bool = False
    runs: int = 0
    ledger: bool = False


def make_numbers(*, count: int) -> None:
    """Fill a table with 1 … `count`, for set-based SQL to draw from."""
    _execute(f"CREATE TABLE {NUMBERS} (n integer PRIMARY KEY)")
    _execute(f"INSERT INTO {NUMBERS} VALUES (1)")
    have = 1
    while have < count:
        more = min(have, count - have)
        _execute(f"INSERT INTO {NUMBERS} SELECT n + {have} FROM {NUMBERS} WHERE n <= {more}")
        have += more


def start_feed() -> None:
    """Let the program's feed have a last position, as after its first change."""
    _execute(f"INSERT INTO {POSITION} (program_id, last_position) VALUES ({get_world().program}, 0)")


def seed(crowd: Crowd) -> None:
    """Make the crowd. The planner is told about big ones, as a database's own housekeeping does in time."""
    world = get_world()
    for statement in _statements(crowd, world):
        _execute(statement)
        if crowd.count >= 10_000:
            # Before the next statement too: PostgreSQL would go on checking foreign keys as if tables were still empty,
            # by reading them whole for every row.
            analyze()


def analyze() -> None:
    """Let the database look at what its tables hold."""
    for table in NUMBERED:
        _execute(f"ANALYZE {'TABLE ' if _vendor() == 'mysql' else ''}{table}")


def marks() -> dict[str, int]:
    """Return the highest primary key of every table: what `restore` goes back to."""
    return {table: _scalar(f"SELECT COALESCE(MAX(id), 0) FROM {table}") for table in NUMBERED}


def restore(to: dict[str, int]) -> None:
    """Remove all rows that came since `marks` gave `to`, so that the next sample meets the tables as this one did."""
    postgresql = _vendor() == "postgresql"
    emptied = [table for table in NUMBERED if postgresql and not to[table] and table != USER]
    if emptied:
        # Leaves no dead rows for the next sample to step over.
        _execute(f"TRUNCATE {', '.join(emptied)} CASCADE")
    for table in NUMBERED:
        if table not in emptied and _scalar(f"SELECT COALESCE(MAX(id), 0) FROM {table}") > to[table]:
            _execute(f"DELETE FROM {table} WHERE id > {to[table]}")
            if postgresql:
                _execute(f"VACUUM {table}")


def _statements(crowd: Crowd, world: World) -> Iterable[str]:
    numbers = f"{NUMBERS} WHERE n <= {crowd.count}"
    key = _concat(f"'{crowd.prefix}-'", "(n + 10000000)")
    account = {"none": "1 = 0", "all": "1 = 1", "unknown": "1 = 1", "half": "n % 2 = 0"}[crowd.accounts]
    now = "CURRENT_TIMESTAMP"
    people = f"(SELECT n, {key} AS k FROM {numbers}) p"
    yield (
        f"INSERT INTO {USER} (username, first_name, last_name, email, password, is_staff, is_active, is_superuser,"
        f" date_joined) SELECT k, '', '', '', '!', {_false()}, {_true()}, {_false()}, {now} FROM {people}"
        f" WHERE {account}"
    )
    uid = _concat(f"'{SLUG}:'", "k")
    yield (
        f"INSERT INTO {IDENTITY} (user_id, provider, uid, id_key, extra_data, created, modified)"
        f" SELECT u.id, '{PROVIDER}', {uid}, '', '{{}}', {now}, {now}"
        f" FROM {people} JOIN {USER} u ON u.username = k WHERE {account}"
    )
    if not crowd.learners:
        return
    linked = "1 = 0" if crowd.accounts == "unknown" else account
    yield (
        f"INSERT INTO {LEARNER} (school_id, student_key, student_key_normalized, email, user_id, link_how, linked_at,"
        f" problem_code, problem_detail, created, modified)"
        f" SELECT {world.school}, k, k, '', u.id, CASE WHEN u.id IS NULL THEN '' ELSE 'sso' END,"
        f" CASE WHEN u.id IS NULL THEN NULL ELSE {now} END, '', '', {now}, {now}"
        f" FROM {people} LEFT JOIN {USER} u ON u.username = k AND {linked} ORDER BY n"
    )
    learners = f"{LEARNER} l WHERE l.school_id = {world.school} AND l.student_key_normalized LIKE '{crowd.prefix}-%%'"
    real, promised = f"{learners} AND l.user_id IS NOT NULL", f"{learners} AND l.user_id IS NULL"
    if crowd.enrolled:
        for table, whose in ((REAL, real), (PREEMPTIVE, promised)):
            yield (
                f"INSERT INTO {table} (program_id, learner_id, curriculum_id, status, created, modified)"
                f" SELECT {world.program}, l.id, {world.curriculum}, 'enrolled', {now}, {now} FROM {whose}"
                f" ORDER BY l.id"
            )
        if crowd.ledger:
            yield from _ledger(learners, world, None, "program_enrollment", "enrolled")
    runs = [*(world.runs[:1] if crowd.course else ()), *world.runs[1 : 1 + crowd.runs]]
    for run in runs:
        yield from _course(run, world, real, promised)
        if crowd.ledger:
            yield from _ledger(learners, world, run, "course_enrollment", "active")


def _course(run: int, world: World, real: str, promised: str) -> Iterable[str]:
    now = "CURRENT_TIMESTAMP"
    common = "program_id, course_run_id, learner_id, status, course_staff, created, modified"
    values = f"{world.program}, {run}, l.id, 'active', {_false()}, {now}, {now}"
    yield (
        f"INSERT INTO {REAL_COURSE} ({common}, course_staff_given) SELECT {values}, {_false()} FROM {real}"
        f" ORDER BY l.id"
    )
    yield (
        f"INSERT INTO {PREEMPTIVE_COURSE} ({common}, problem_code, problem_detail, tries, refusals)"
        f" SELECT {values}, '', '', 0, 0 FROM {promised} ORDER BY l.id"
    )
    course = f"(SELECT course_id FROM university_enrollments_courserun WHERE id = {run})"
    yield (
        f"INSERT INTO {SEAT} (user_id, course_id, mode, is_active, created, modified)"
        f" SELECT l.user_id, {course}, 'masters', {_true()}, {now}, {now} FROM {real} ORDER BY l.id"
    )


def _ledger(learners: str, world: World, run: int | None, kind: str, after: str) -> Iterable[str]:
    yield (
        f"INSERT INTO {LEDGER} (program_id, position, at, learner_id, student_key, course_run_id, kind, after, source,"
        f" request_id, reason) SELECT {world.program}, taken.last + ROW_NUMBER() OVER (ORDER BY l.id),"
        f" CURRENT_TIMESTAMP, l.id, l.student_key, {'NULL' if run is None else run}, '{kind}', '{after}', 'api', '', ''"
        f" FROM (SELECT COALESCE(MAX(position), 0) AS last FROM {LEDGER} WHERE program_id = {world.program}) taken, "
        + learners
    )
    yield f"DELETE FROM {POSITION} WHERE program_id = {world.program}"
    yield (
        f"INSERT INTO {POSITION} (program_id, last_position) SELECT {world.program}, MAX(position) FROM {LEDGER}"
        f" WHERE program_id = {world.program}"
    )


def _vendor() -> str:
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    return connection.vendor


def _true() -> str:
    return "true" if _vendor() == "postgresql" else "1"


def _false() -> str:
    return "false" if _vendor() == "postgresql" else "0"


def _concat(*parts: str) -> str:
    return f"CONCAT({', '.join(parts)})" if _vendor() == "mysql" else f"({' || '.join(parts)})"


def _execute(statement: str, params: Sequence[Any] = ()) -> None:
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%%", "%"))


def _scalar(statement: str) -> int:
    from django.db import connection  # noqa: PLC0415  (needs the stand's settings)

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])
