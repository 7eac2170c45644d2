"""Who comes between: another undo, a resuming, a write to a learner whose enrollment is about to be put back."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from program_enrollments import api
from program_enrollments.exceptions import AlreadyUndone, WrongState
from program_enrollments.models import Job, PreemptiveProgramEnrollment
from tests.api.jobs.conftest import Office
from tests.api.jobs.undo.offices import REGISTRAR, carry_out
from tests.api.test_crossings import coming_between

RESUMABLE = {"state": "failed", "waiting_since": "2026-01-01T00:00:00Z"}


def test_the_database_keeps_undos_single(office: Office) -> None:
    job = office.run("student_key,status\nA-1,enrolled\n")
    twin = api.undo_job(job=job, origin=REGISTRAR)
    twin.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
    assert Job.objects.filter(undoes=job).count() == 1


# SQLite lets one writer in at a time.
@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql", "mariadb")
class TestCrossings:
    def test_another_undo(self, office: Office) -> None:
        job = office.run("student_key,status\nA-1,enrolled\n")
        with (
            coming_between(
                lambda: api.undo_job(job=Job.objects.get(pk=job.pk), origin=REGISTRAR),
                before=lambda sql: sql.startswith("UPDATE") and "_job" in sql,
            ),
            pytest.raises(AlreadyUndone),
        ):
            api.undo_job(job=job, origin=REGISTRAR)
        assert Job.objects.filter(undoes=job).count() == 1

    def test_a_resuming(self, office: Office) -> None:
        job = office.run("student_key,status\nA-1,enrolled\n")
        Job.objects.filter(pk=job.pk).update(**RESUMABLE, is_staged=True)
        job.refresh_from_db()
        with (
            coming_between(
                lambda: api.resume_job(job=Job.objects.get(pk=job.pk), origin=REGISTRAR),
                before=lambda sql: sql.startswith("UPDATE") and "_job" in sql,
            ),
            pytest.raises(WrongState),
        ):
            api.undo_job(job=job, origin=REGISTRAR)
        assert not Job.objects.filter(undoes=job).exists()

    def test_a_write_to_the_learner(self, office: Office) -> None:
        office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\n")
        job = carry_out(office, "student_key,status\nA-1,suspended\nA-2,suspended\n")
        undone = api.undo_job(job=job, origin=REGISTRAR)
        with coming_between(
            lambda: office.world.write_program(("A-1", "pending")),
            before=lambda sql: "_learner" in sql and "FOR UPDATE" in sql,
        ):
            office.work(undone)
        assert office.words(undone) == {"A-1": "changed-since", "A-2": "enrolled"}
        found = PreemptiveProgramEnrollment.objects.order_by("learner__student_key")
        assert list(found.values_list("status", flat=True)) == ["pending", "enrolled"]
