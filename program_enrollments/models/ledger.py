"""The ledger: an append-only record of who changed what, when and why (ADR 0003)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import ChangeKind, Source
from program_enrollments.models.catalog import CourseRun, Program
from program_enrollments.models.learners import Learner
from program_enrollments.sql.indexes import NotNullIndex


class LedgerEntry(models.Model):
    """One change, at one `position` of its program's feed.

    Positions have no gaps within a program. They are handed out under a lock that is held until the commit, so that a
    reader who has seen a position has seen all before it. Entries without a program (links, identities) are in no
    feed.

    The references have no database constraints, because an entry outlives the rows that it names. `student_key` is
    stored beside the learner for the same reason; retiring a person overwrites it.
    """

    program = models.ForeignKey(
        Program, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    position = models.BigIntegerField(_("position"), null=True)
    at = models.DateTimeField(_("at"))
    learner = models.ForeignKey(Learner, models.DO_NOTHING, db_constraint=False, related_name="+")
    student_key = models.CharField(_("student key"), max_length=255)
    course_run = models.ForeignKey(
        CourseRun, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(_("kind"), max_length=24, choices=ChangeKind.choices)
    before = models.CharField(_("before"), max_length=255, null=True)
    after = models.CharField(_("after"), max_length=255, null=True)
    actor_id = models.BigIntegerField(_("actor"), null=True, help_text=_("The host's user ID."))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    request_id = models.CharField(_("request ID"), max_length=128, blank=True)
    job_id = models.BigIntegerField(_("job"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-pk"]
        constraints = [
            # With one position for two entries, a reader would skip one of them.
            models.UniqueConstraint(fields=["program", "position"], name="ue_ledger_position_unique"),
            models.CheckConstraint(
                condition=Q(program__isnull=True, position__isnull=True)
                | Q(program__isnull=False, position__isnull=False),
                name="ue_ledger_position_iff_program",
            ),
        ]
        # What a job changed, learner by learner: an undo reads it (ADR 0028). Entries without a job are not in it.
        indexes = [NotNullIndex(fields=["job_id", "learner"], name="ue_ledger_job")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class LedgerPosition(models.Model):
    """The last position handed out in a program's feed.

    Writers lock this row last, after all learners, and hold it until they commit. It is a table of its own because
    every insert that refers to a program share-locks the program's row.
    """

    program_id = models.BigIntegerField(primary_key=True)
    last_position = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("ledger position")
        verbose_name_plural = _("ledger positions")

    def __str__(self) -> str:
        return f"{self.program_id}: {self.last_position}"
