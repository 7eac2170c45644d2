"""Migrating what older versions left: nothing is lost, and what clashes is reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

APP = "university_enrollments"
BEFORE = "0001_initial"

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str | None) -> Any:
    """Migrate the app to a migration, or to the last one; return the state of the models then."""
    executor = MigrationExecutor(connection)
    target = [(APP, name)] if name else [node for node in executor.loader.graph.leaf_nodes() if node[0] == APP]
    executor.migrate(target)
    return MigrationExecutor(connection).loader.project_state(target).apps


@pytest.fixture
def before() -> Iterator[Any]:
    yield migrate(BEFORE)
    migrate(None)


def test_rows_get_their_normalized_value_anew(before: Any, capsys: pytest.CaptureFixture[str]) -> None:
    school = before.get_model(APP, "School").objects.create(key="uni-a", name="University A")
    learners = before.get_model(APP, "Learner").objects

    def learner(key: str, normalized: str, **more: Any) -> int:
        # Saving would normalize by today's rule.
        made = learners.create(school=school, student_key=f"made-{normalized!r}")
        learners.filter(pk=made.pk).update(student_key=key, student_key_normalized=normalized, **more)
        return int(made.pk)

    hidden = learner("Z-1\u200b", "z-1\u200b")
    plain = learner("Z-2", "z-2")
    clash = learner("\ufeffZ-2", "\ufeffz-2")
    account = User.objects.create(username="gone")
    orphan = learner("Z-3", "z-3", link_how="sso", linked_at=timezone.now())
    nameless = learner("Z-4", "z-4", user_id=account.pk)

    after = migrate(None).get_model(APP, "Learner").objects

    rows = {row.pk: row for row in after.all()}
    assert rows.keys() == {hidden, plain, clash, orphan, nameless}, "nothing is lost"
    assert rows[hidden].student_key_normalized == "z-1"
    assert (rows[plain].student_key_normalized, rows[plain].problem_code) == ("z-2", "")
    assert (rows[clash].student_key_normalized, rows[clash].problem_code) == ("\ufeffz-2", "conflict")
    assert f"number {plain}" in rows[clash].problem_detail
    told = capsys.readouterr().out
    assert f"{clash} (as {plain})" in told
    assert "Z-2" not in told, "by number, not by ID"
    assert (rows[orphan].link_how, rows[orphan].undone_how) == ("", "sso")
    assert (rows[nameless].user_id, rows[nameless].link_how) == (account.pk, "command")
