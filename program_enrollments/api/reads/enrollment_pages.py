"""Pages of enrollments, with the learners and curricula on them: one statement a table (ADR 0007).

A page is cut first, in the order of the index that ends in the learner and no further than it is long, and then joined
to what it shows. Left to plain joins, databases begin at a joined table now and then, and read half the program for a
page. The ORM cannot write a table of its own to select from, and takes longer to write than databases to answer.
"""

# ruff: noqa: S608  (names of tables and columns come from the models, every value goes as a parameter)

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import connections, models, router

from program_enrollments.data import CourseStatus
from program_enrollments.models.catalog import CourseRun, Curriculum
from program_enrollments.models.enrollments import (
    PreemptiveCourseEnrollment,
    PreemptiveProgramEnrollment,
    ProgramCourseEnrollment,
    ProgramEnrollment,
)
from program_enrollments.models.learners import Learner
from program_enrollments.sql.conversion import convert_rows
from program_enrollments.sql.lookups import write_among

CURRICULUM_SOURCES: dict[type[models.Model], tuple[type[models.Model], ...]] = {
    ProgramCourseEnrollment: (ProgramEnrollment,),
    # A promise that the host refused is preemptive, while its learner's program enrollment is real.
    PreemptiveCourseEnrollment: (PreemptiveProgramEnrollment, ProgramEnrollment),
}
"""Where a course enrollment's learner has their curriculum, the first choice first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Return at most `limit` rows at `place`, behind the key `behind`.

    `place` is the leading columns of the index that ends in the learner, `keys` are its other columns: the order of
    the rows. `behind` is of the first key. Filters that are None are not applied.

    `linked`: the learner has an account. `active_in`: they are active in this course run of the program, in this table
    of course enrollments, which the page is then read from.
    """

    place: Mapping[str, int]
    keys: tuple[str, ...] = ("learner_id",)
    behind: int
    backward: bool
    limit: int
    status: str | None = None
    modified_since: datetime | None = None
    learner_ids: Collection[int] | None = None
    linked: bool | None = None
    active_in: tuple[type[models.Model], int] | None = None


class Listed(NamedTuple):
    """An enrollment and its learner; of the account, None where there is none.

    `course_staff`, what the school asked for, is of course enrollments only; so is the course run.
    """

    learner_id: int
    student_key: str
    email: str
    user_id: int | None
    username: str | None
    account_email: str | None
    status: str
    curriculum_uuid: UUID | None
    course_staff: bool | None = None
    course_run_id: int = 0
    course_id: str = ""


def read_page(model: type[models.Model], *, cut: Cut) -> list[Listed]:
    """Return the page of `model` (a table of enrollments), in reading direction, in one statement."""
    if cut.learner_ids is not None and not cut.learner_ids:
        return []
    connection = connections[router.db_for_read(model)]
    columns, sources = _shown(model, connection.ops.quote_name)
    inner, params = _cut(connection, model, cut)
    order = ", ".join(f"e.{key}{' DESC' if cut.backward else ''}" for key in cut.keys)
    written = ", ".join(f"{column.alias}.{connection.ops.quote_name(column.target.column)}" for column in columns)
    sql = f"SELECT {written} FROM ({inner}) e {sources} ORDER BY {order}"
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [Listed(*row) for row in convert_rows(connection, columns, cursor.fetchall())]


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _cut(connection: Any, model: type[models.Model], cut: Cut) -> tuple[str, list[Any]]:
    """Write the query of the page's enrollments, and its parameters."""
    name = connection.ops.quote_name
    table = f"{name(model._meta.db_table)} e"
    lead, is_refused = "e", False
    place = dict(cut.place)
    if cut.active_in is not None:
        course_model, place["course_run_id"] = cut.active_in
        lead, course_table = "k", f"{name(course_model._meta.db_table)} k"
        join = "JOIN"
        # With an account, people have a preemptive one only while it has a problem: an index holds just those.
        is_refused = course_model is PreemptiveCourseEnrollment and model is ProgramEnrollment
        if connection.vendor == "mysql" and not is_refused:
            course_cut = replace(cut, place=place)
            course_table += f" FORCE INDEX ({name(_index(course_model, course_cut))})"
            join = "STRAIGHT_JOIN"
        table = f"{course_table} {join} {table} ON e.program_id = k.program_id AND e.learner_id = k.learner_id"
    elif connection.vendor == "mysql":
        # Left to itself, MariaDB sorts what another index finds in a small table, and reads a list backward from its
        # end rather than from the learner.
        table += f" FORCE INDEX ({name(_index(model, cut))})"
    conditions = [f"{lead}.{column} = %s" for column in place]
    params: list[Any] = list(place.values())
    conditions.append(f"{lead}.{cut.keys[0]} {'<' if cut.backward else '>'} %s")
    params.append(cut.behind)
    if cut.active_in is not None:
        conditions.append("k.status = %s")
        params.append(CourseStatus.ACTIVE.value)
        if is_refused:
            conditions.append("NOT (k.problem_code = '')")
    if cut.status is not None:
        conditions.append("e.status = %s")
        params.append(cut.status)
    if cut.modified_since is not None:
        conditions.append("e.modified >= %s")
        params.append(_field(model, "modified").get_db_prep_value(cut.modified_since, connection))
    if cut.learner_ids is not None:
        condition, values = write_among(connection, _field(model, "learner"), "e.learner_id", cut.learner_ids)
        conditions.append(condition)
        params += values
    if cut.linked is not None:
        # No join: to a subquery for a value, no database turns the order of reading around. No plain condition either:
        # PostgreSQL would take it to be seldom true, and sort.
        account = f"SELECT a.user_id FROM {name(Learner._meta.db_table)} a WHERE a.id = e.learner_id"
        conditions.append(f"CASE WHEN ({account}) IS {'NOT ' if cut.linked else ''}NULL THEN true ELSE false END")
    direction = " DESC" if cut.backward else ""
    carried = ("program_id", "course_run_id", "course_staff") if model in CURRICULUM_SOURCES else ("curriculum_id",)
    sql = (
        f"SELECT {', '.join(f'e.{column}' for column in ('learner_id', 'status', *carried))}"
        f" FROM {table} WHERE {' AND '.join(conditions)}"
        f" ORDER BY {', '.join(f'{lead}.{column}{direction}' for column in cut.keys)} LIMIT %s"
    )
    return sql, [*params, cut.limit]


def _index(model: type[models.Model], cut: Cut) -> str:
    """Return the name of the index that the page is read from."""
    wanted = tuple(_field(model, column.removesuffix("_id")).name for column in (*cut.place, *cut.keys))
    return next(
        constraint.name
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and tuple(constraint.fields) == wanted
    )


def _shown(model: type[models.Model], name: Callable[[str], str]) -> tuple[list[Any], str]:
    """Return the columns of `Listed`, and write the joins that they are taken from."""
    users = get_user_model()
    account = [_field(users, field) for field in (users.USERNAME_FIELD, users.get_email_field_name())]
    # A host's accounts may inherit columns from another table.
    owners = {owner: f"u{number}" for number, owner in enumerate(dict.fromkeys(field.model for field in account))}
    columns = [
        *(_field(Learner, field).get_col("l") for field in ("id", "student_key", "email", "user")),
        *(field.get_col(owners[field.model]) for field in account),
        _field(model, "status").get_col("e"),
        _field(Curriculum, "uuid").get_col("c"),
    ]
    joins = [f"JOIN {name(Learner._meta.db_table)} l ON l.id = e.learner_id"]
    joins += [
        f"LEFT JOIN {name(owner._meta.db_table)} {alias} ON {alias}.{name(owner._meta.pk.column)} = l.user_id"
        for owner, alias in owners.items()
    ]
    curriculum_id = "e.curriculum_id"
    if sources := CURRICULUM_SOURCES.get(model):
        columns += [
            _field(model, "course_staff").get_col("e"),
            _field(CourseRun, "id").get_col("r"),
            _field(CourseRun, "course_id").get_col("r"),
        ]
        joins.append(f"JOIN {name(CourseRun._meta.db_table)} r ON r.id = e.course_run_id")
        joins += [
            f"LEFT JOIN {name(source._meta.db_table)} p{number}"
            f" ON p{number}.program_id = e.program_id AND p{number}.learner_id = e.learner_id"
            for number, source in enumerate(sources)
        ]
        # COALESCE takes two at least on SQLite.
        curriculum_id = ", ".join(f"p{number}.curriculum_id" for number in range(len(sources)))
        curriculum_id = f"COALESCE({curriculum_id})" if len(sources) > 1 else curriculum_id
    joins.append(f"LEFT JOIN {name(Curriculum._meta.db_table)} c ON c.id = {curriculum_id}")
    return columns, " ".join(joins)
