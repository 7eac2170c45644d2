"""The floor of bulk writes: the same rows into the same tables by the bare driver, one transaction for 1,000 rows.

A floor row is one learner, one enrollment and one ledger entry: three multi-row statements a transaction, the first of
which answers with the learners' primary keys. Where the app also tells the host, the floor row has one seat of the
host as well. Everything is INSERT … ON CONFLICT DO UPDATE (ON DUPLICATE KEY UPDATE), so a second write of the same rows
is the floor of an update. Nothing is checked, planned or locked beforehand, and no row gets an answer.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.crowds import LEARNER, LEDGER, PREEMPTIVE, PREEMPTIVE_COURSE, REAL, REAL_COURSE, SEAT
from benchmarks.driver import Driver, get_driver
from benchmarks.sampling import Sample
from benchmarks.world import course_id, get_world, student_key

CHUNK = 1_000

LEARNER_COLUMNS = {
    "school_id": "bigint", "student_key": "varchar", "student_key_normalized": "varchar", "email": "varchar",
    "email_normalized": "varchar", "link_how": "varchar", "problem_code": "varchar", "problem_detail": "varchar",
    "created": "timestamptz", "modified": "timestamptz",
}  # fmt: skip
PROGRAM_COLUMNS = {
    "program_id": "bigint", "learner_id": "bigint", "curriculum_id": "bigint", "status": "varchar",
    "created": "timestamptz", "modified": "timestamptz",
}  # fmt: skip
COURSE_COLUMNS = {
    "program_id": "bigint", "course_run_id": "bigint", "learner_id": "bigint", "status": "varchar",
    "course_staff": "boolean", "created": "timestamptz", "modified": "timestamptz",
}  # fmt: skip
REAL_COURSE_COLUMNS = {**COURSE_COLUMNS, "course_staff_given": "boolean"}
PREEMPTIVE_COURSE_COLUMNS = {
    **COURSE_COLUMNS, "problem_code": "varchar", "problem_detail": "varchar", "tries": "integer", "refusals": "integer",
}  # fmt: skip
SEAT_COLUMNS = {
    "user_id": "integer", "course_id": "varchar", "mode": "varchar", "is_active": "boolean", "created": "timestamptz",
    "modified": "timestamptz",
}  # fmt: skip
LEDGER_COLUMNS = {
    "program_id": "bigint", "position": "bigint", "at": "timestamptz", "learner_id": "bigint", "student_key": "varchar",
    "course_run_id": "bigint", "kind": "varchar", "before": "varchar", "after": "varchar", "actor_id": "bigint",
    "source": "varchar", "request_id": "varchar", "job_id": "bigint", "reason": "varchar",
}  # fmt: skip


class FloorWrite(NamedTuple):
    """What a floor writes. `form`: "values"; on PostgreSQL also "arrays" or "copy", which cannot update."""

    prefix: str
    rows: int
    status: str
    form: str
    accounts: bool
    course: bool


def write_floor(write: FloorWrite) -> Sample:
    """Write the rows. The rows' own values are made before the clock starts."""
    world, driver = get_world(), get_driver()
    keys = [student_key(write.prefix, number) for number in range(1, write.rows + 1)]
    floor = _Floor(driver, write, world)
    position = _next_position(driver, world.program)
    driver.statements = 0
    started = time.perf_counter()
    for start in range(0, len(keys), CHUNK):
        with driver.transaction():
            floor.write_chunk(keys[start : start + CHUNK], position + start)
    sample = Sample(time.perf_counter() - started, driver.statements)
    driver.execute(
        "UPDATE university_enrollments_ledgerposition SET last_position = last_position + %s WHERE program_id = %s",
        [len(keys), world.program],
    )
    return sample


def _next_position(driver: Driver, program: int) -> int:
    rows = driver.execute(
        "SELECT last_position FROM university_enrollments_ledgerposition WHERE program_id = %s", [program]
    ).fetchall()
    return int(rows[0][0]) + 1 if rows else 1


class _Floor:
    def __init__(self, driver: Driver, write: FloorWrite, world: Any) -> None:
        self.driver, self.write, self.world, self.now = driver, write, world, driver.now()

    def write_chunk(self, keys: list[str], position: int) -> None:
        now, world, write = self.now, self.world, self.write
        people = self._learners(keys)
        if write.course:
            table = REAL_COURSE if write.accounts else PREEMPTIVE_COURSE
            columns = REAL_COURSE_COLUMNS if write.accounts else PREEMPTIVE_COURSE_COLUMNS
            more: tuple[Any, ...] = (False,) if write.accounts else ("", "", 0, 0)
            run = world.runs[0]
            rows: Iterable[tuple[Any, ...]] = (
                (world.program, run, learner, write.status, False, now, now, *more) for learner, _, _ in people
            )
            self._put(table, columns, rows, ("program_id", "course_run_id", "learner_id"), ("status", "modified"))
            if write.accounts:
                active, course = write.status == "active", course_id(0)
                seats = ((user, course, "masters", active, now, now) for _, user, _ in people)
                self._put(SEAT, SEAT_COLUMNS, seats, ("user_id", "course_id"), ("mode", "is_active", "modified"))
            kind, of_run = "course_enrollment", run
        else:
            table = REAL if write.accounts else PREEMPTIVE
            rows = ((world.program, learner, world.curriculum, write.status, now, now) for learner, _, _ in people)
            self._put(table, PROGRAM_COLUMNS, rows, ("program_id", "learner_id"), ("status", "modified"))
            kind, of_run = "program_enrollment", None
        entries = (
            (world.program, position + place, now, learner, key, of_run, kind, None, write.status, world.actor, "api",
             "bench", None, "")
            for place, (learner, _, key) in enumerate(people)
        )  # fmt: skip
        self._put(LEDGER, LEDGER_COLUMNS, entries, (), ())

    def _learners(self, keys: list[str]) -> list[tuple[int, int | None, str]]:
        now, school = self.now, self.world.school
        rows = [(school, key, key, "", None, "", "", "", now, now) for key in keys]
        returning = ("id", "user_id", "student_key")
        if self.write.form == "copy":
            self.driver.copy(table=LEARNER, columns=list(LEARNER_COLUMNS), rows=rows)
            # COPY does not answer.
            marks = ", ".join(["%s"] * len(keys))
            return list(
                self.driver.execute(
                    f"SELECT id, user_id, student_key FROM {LEARNER} WHERE school_id = %s"
                    f" AND student_key_normalized IN ({marks})",
                    [school, *keys],
                ).fetchall()
            )
        return self.driver.upsert(
            table=LEARNER,
            columns=list(LEARNER_COLUMNS),
            rows=rows,
            unique=("school_id", "student_key_normalized"),
            update=("modified",),
            returning=returning,
            types=self._types(LEARNER_COLUMNS),
        )

    def _put(
        self,
        table: str,
        columns: dict[str, str],
        rows: Iterable[tuple[Any, ...]],
        unique: tuple[str, ...],
        update: tuple[str, ...],
    ) -> None:
        names = [self.driver.quote(name) for name in columns]
        if self.write.form == "copy":
            self.driver.copy(table=table, columns=names, rows=list(rows))
        else:
            self.driver.upsert(
                table=table, columns=names, rows=list(rows), unique=unique, update=update, types=self._types(columns)
            )

    def _types(self, columns: dict[str, str]) -> list[str] | None:
        return list(columns.values()) if self.write.form == "arrays" else None
