"""The floor of realizing: set-based SQL by the bare driver that links learners and makes their promises real.

One transaction: lock and link the learners, copy their preemptive enrollments into the real tables and the host's
seats, write the ledger (one entry a link and one an enrollment), delete the promises. The same for one learner who
signs in and for all learners of a sweep. What can go wrong is left out: conflicts, seats in other modes, refusals.
"""

from __future__ import annotations

import time

from benchmarks.crowds import (
    IDENTITY,
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
from benchmarks.driver import Driver, get_driver
from benchmarks.sampling import Sample
from benchmarks.world import SLUG, World, get_world, student_key

SWEPT = "bench_swept"


def realize_one(prefix: str, number: int) -> Sample:
    """Link the learner with this number to an account of the same name, and realize: what a sign-in brings about."""
    world, driver = get_world(), get_driver()
    key = student_key(prefix, number)
    ((user,),) = driver.execute(f"SELECT id FROM {USER} WHERE username = %s", [key]).fetchall()
    driver.statements = 0
    started = time.perf_counter()
    with driver.transaction():
        lock = "" if driver.vendor == "sqlite" else " FOR UPDATE"
        ((learner,),) = driver.execute(
            f"SELECT id FROM {LEARNER} WHERE school_id = %s AND student_key_normalized = %s{lock}", [world.school, key]
        ).fetchall()
        driver.execute(
            f"UPDATE {LEARNER} SET user_id = %s, link_how = 'sso', linked_at = CURRENT_TIMESTAMP WHERE id = %s",
            [user, learner],
        )
        _realize(driver, world, f"= {learner}")
    return Sample(time.perf_counter() - started, driver.statements)


def realize_all() -> Sample:
    """Link every learner that a social-auth identity names, and realize: what a sweep brings about."""
    world, driver = get_world(), get_driver()
    uid = "CONCAT('{}:', l.student_key_normalized)" if driver.vendor == "mysql" else "'{}:' || l.student_key_normalized"
    driver.execute(f"CREATE TEMPORARY TABLE {SWEPT} (id bigint PRIMARY KEY, user_id bigint)")
    driver.statements = 0
    started = time.perf_counter()
    with driver.transaction():
        driver.execute(
            f"INSERT INTO {SWEPT} SELECT l.id, s.user_id FROM {LEARNER} l JOIN {IDENTITY} s"
            f" ON s.provider = 'tpa-saml' AND s.uid = {uid.format(SLUG)} WHERE l.user_id IS NULL"
        )
        changes = "link_how = 'sso', linked_at = CURRENT_TIMESTAMP"
        if driver.vendor == "mysql":
            driver.execute(f"UPDATE {LEARNER} l JOIN {SWEPT} s ON l.id = s.id SET l.user_id = s.user_id, {changes}")
        else:
            driver.execute(
                f"UPDATE {LEARNER} SET user_id = s.user_id, {changes} FROM {SWEPT} s WHERE {LEARNER}.id = s.id"
            )
        _realize(driver, world, f"IN (SELECT id FROM {SWEPT})")
    sample = Sample(time.perf_counter() - started, driver.statements)
    driver.execute(f"DROP TABLE {SWEPT}")
    return sample


def _realize(driver: Driver, world: World, whose: str) -> None:
    """Seven statements."""
    yes = "true" if driver.vendor == "postgresql" else "1"
    now = "CURRENT_TIMESTAMP"
    program = "program_id, learner_id, curriculum_id, status, created"
    driver.execute(
        f"INSERT INTO {REAL} ({program}, modified) SELECT {program}, {now} FROM {PREEMPTIVE} WHERE learner_id {whose}"
    )
    active = (
        "FROM {} p JOIN {} l ON l.id = p.learner_id JOIN university_enrollments_courserun r ON r.id = p.course_run_id"
    )
    conflict = (
        "ON DUPLICATE KEY UPDATE mode = VALUES(mode), is_active = VALUES(is_active)"
        if driver.vendor == "mysql"
        else "ON CONFLICT (user_id, course_id) DO UPDATE SET mode = excluded.mode, is_active = excluded.is_active"
    )
    driver.execute(
        f"INSERT INTO {SEAT} (user_id, course_id, mode, is_active, created, modified)"
        f" SELECT l.user_id, r.course_id, 'masters', {yes}, {now}, {now} {active.format(PREEMPTIVE_COURSE, LEARNER)}"
        f" WHERE p.learner_id {whose} AND p.status = 'active' {conflict}"
    )
    course = "program_id, course_run_id, learner_id, status, course_staff, created"
    driver.execute(
        f"INSERT INTO {REAL_COURSE} ({course}, modified, course_staff_given)"
        f" SELECT {course}, {now}, {'false' if driver.vendor == 'postgresql' else '0'} FROM {PREEMPTIVE_COURSE}"
        f" WHERE learner_id {whose}"
    )
    entries = (
        f"SELECT CAST(NULL AS {_integer(driver)}) AS program, id AS learner, CAST(NULL AS {_integer(driver)}) AS run,"
        f" 'link' AS kind FROM {LEARNER} WHERE id {whose}"
        f" UNION ALL SELECT program_id, learner_id, NULL, 'program_realized' FROM {PREEMPTIVE} WHERE learner_id {whose}"
        f" UNION ALL SELECT program_id, learner_id, course_run_id, 'course_realized' FROM {PREEMPTIVE_COURSE}"
        f" WHERE learner_id {whose}"
    )
    place = "taken.last_position + ROW_NUMBER() OVER (PARTITION BY e.program ORDER BY e.learner)"
    driver.execute(
        f"INSERT INTO {LEDGER} (program_id, position, at, learner_id, student_key, course_run_id, kind, source,"
        f" request_id, reason)"
        f" SELECT e.program, CASE WHEN e.program IS NULL THEN NULL ELSE {place} END, {now}, e.learner, l.student_key,"
        f" e.run, e.kind, 'sign_in', '', '' FROM ({entries}) e JOIN {LEARNER} l ON l.id = e.learner"
        f" CROSS JOIN (SELECT last_position FROM {POSITION} WHERE program_id = {world.program}) taken"
    )
    driver.execute(
        f"UPDATE {POSITION} SET last_position = (SELECT MAX(position) FROM {LEDGER} WHERE program_id = {world.program})"
        f" WHERE program_id = {world.program}"
    )
    driver.execute(f"DELETE FROM {PREEMPTIVE} WHERE learner_id {whose}")
    driver.execute(f"DELETE FROM {PREEMPTIVE_COURSE} WHERE learner_id {whose}")


def _integer(driver: Driver) -> str:
    return "signed" if driver.vendor == "mysql" else "bigint"
