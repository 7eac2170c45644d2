"""Jobs: files that schools send, how far each has come, and what became of its lines (ADR 0016)."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import JobKind, JobMode, JobState
from program_enrollments.models.catalog import CourseRun, Program
from program_enrollments.models.learners import Learner
from program_enrollments.models.schools import School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH
from program_enrollments.sql.fields import ExactCharField

UNDER_WAY = [JobState.CHECKING.value, JobState.RUNNING.value, JobState.WAITING.value]
"""States in which a job keeps the other jobs of its program waiting; a re-key those of its school."""


class JobPhase(models.TextChoices):
    """What a job's next slice does. Each phase has the cursor to itself."""

    READ = "read", _("read the file")
    DUPLICATES = "duplicates", _("find duplicates")
    COMPARE = "compare", _("compare with what is stored")
    LEAVERS = "leavers", _("find who leaves")
    GUARD = "guard", _("weigh the removals")
    APPLY = "apply", _("apply")


class Job(models.Model):
    """One file of a school, or the undo of one: what it asks for, its progress, and what came of it.

    A re-key concerns the school as a whole and has no program (ADR 0026).

    The row has the whole state: any worker that finds it due may carry it on from `cursor`. Every chunk begins by
    moving the cursor with a conditional update, so that two workers never do the same. `slice` does that for messages.
    """

    kind = models.CharField(_("kind"), max_length=24, choices=JobKind.choices)
    mode = models.CharField(_("mode"), max_length=8, choices=JobMode.choices)
    dry_run = models.BooleanField(_("dry run"), default=False)
    cascade = models.BooleanField(_("cascade"), default=False)
    leaving_status = models.CharField(_("status of who leaves"), max_length=9, blank=True)
    school = models.ForeignKey(School, models.PROTECT, related_name="jobs", db_index=False, verbose_name=_("school"))
    program = models.ForeignKey(
        Program,
        models.PROTECT,
        null=True,
        related_name="jobs",
        db_index=False,
        verbose_name=_("program"),
        help_text=_("None for a file of student IDs, which concerns the whole school."),
    )
    identity_provider = models.CharField(
        _("identity provider"),
        max_length=64,
        blank=True,
        help_text=_(
            "The slug of the one that asserts the new student IDs; empty if accounts go on signing on by the same one."
        ),
    )
    honor_old_until = models.DateTimeField(
        _("old student IDs honored until"), null=True, help_text=_("Until then they go on naming the same learners.")
    )
    state = models.CharField(_("state"), max_length=10, choices=JobState.choices, default=JobState.PENDING)
    phase = models.CharField(_("phase"), max_length=10, choices=JobPhase.choices, default=JobPhase.READ)
    undoes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="undos", verbose_name=_("undoes")
    )
    reason = models.CharField(_("reason of the undo"), max_length=500, blank=True, default="", db_default="")

    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    input_name = models.CharField(_("stored input"), max_length=255, blank=True, help_text=_("Empty once deleted."))
    is_input_due = models.BooleanField(
        default=False, help_text=_("The stored input is deleted once the job has ended.")
    )
    size = models.BigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)

    total = models.PositiveIntegerField(_("lines"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    removals = models.PositiveIntegerField(_("removals"), default=0)
    counts = models.JSONField(_("rows by word"), default=dict)
    removed = models.JSONField(
        _("removed"), default=dict, help_text=_("How many were removed, by course run; the program's own under 0.")
    )
    held = models.JSONField(_("held for"), null=True)
    notes = models.JSONField(_("notes"), default=list)
    message = models.CharField(_("message"), max_length=1000, blank=True)

    created_by = models.CharField(_("created by"), max_length=255, blank=True)
    created_by_user_id = models.BigIntegerField(_("created by user"), null=True, help_text=_("The host's user ID."))
    request_id = models.CharField(_("request ID"), max_length=128, blank=True)
    created = models.DateTimeField(_("created"), default=timezone.now)
    started = models.DateTimeField(_("started"), null=True)
    finished = models.DateTimeField(_("finished"), null=True)

    decided_by = models.CharField(_("decided by"), max_length=255, blank=True)
    decided_by_user_id = models.BigIntegerField(_("decided by user"), null=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decision_reason = models.CharField(_("reason of the decision"), max_length=500, blank=True)
    removals_approved = models.BooleanField(_("removals approved"), null=True)

    queued_at = models.DateTimeField(_("queued at"), default=timezone.now)
    cursor = models.BigIntegerField(default=0)
    progress = models.JSONField(default=list, help_text=_("Where the look for leavers is."))
    slice = models.BigIntegerField(default=0)
    served_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0, help_text=_("Slices begun at this cursor and not ended."))
    cautious_until = models.BigIntegerField(default=0, help_text=_("Lines up to here are applied one by one."))
    next_try = models.DateTimeField(_("next try"), null=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    feed_position = models.BigIntegerField(
        null=True, help_text=_("The program's last ledger position when the file was compared with what is stored.")
    )
    holds_removals = models.BooleanField(default=False, help_text=_("A line says nothing of whom it is about."))
    is_staged = models.BooleanField(default=False, help_text=_("There are staging rows to be deleted at the end."))
    occupied_school = models.GeneratedField(
        expression=Case(
            When(Q(state__in=UNDER_WAY) & Q(dry_run=False) & Q(program__isnull=True), then=F("school")),
            default=None,
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    occupied_program = models.GeneratedField(
        expression=Case(
            When(Q(state__in=UNDER_WAY) & Q(dry_run=False), then=F("program")),
            default=None,
        ),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    undone_job = models.GeneratedField(
        expression=Case(When(~Q(state=JobState.CANCELED.value) & Q(dry_run=False), then=F("undoes")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-pk"]
        constraints = [
            # A program's jobs run one after the other. Dry runs and held jobs queue for nobody.
            models.UniqueConstraint(fields=["occupied_program"], name="ue_job_one_per_program"),
            # So do a school's re-keys; that no other job of the school runs beside one is up to `queue.hold_turns`.
            models.UniqueConstraint(fields=["occupied_school"], name="ue_job_one_rekey_per_school"),
            # What was put back once is not put back again, unless the undo was canceled. Serves the look-up of a job's
            # undo as well.
            models.UniqueConstraint(fields=["undone_job"], name="ue_job_undone_once"),
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="ue_job_kind_known"),
            models.CheckConstraint(condition=Q(mode__in=JobMode.values), name="ue_job_mode_known"),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="ue_job_state_known"),
            # Student IDs are a school's, enrollments a program's.
            models.CheckConstraint(
                condition=(Q(program__isnull=True) | ~Q(kind=JobKind.STUDENT_KEYS))
                & (Q(program__isnull=False) | ~Q(kind__in=[JobKind.PROGRAM_ENROLLMENTS, JobKind.COURSE_ENROLLMENTS])),
                name="ue_job_program_unless_rekey",
            ),
            # Only a re-key has former student IDs to honor, and a provider that asserts new ones.
            models.CheckConstraint(
                condition=~Q(kind__in=[JobKind.PROGRAM_ENROLLMENTS, JobKind.COURSE_ENROLLMENTS])
                | Q(honor_old_until__isnull=True, identity_provider=""),
                name="ue_job_honors_only_if_rekey",
            ),
            # Who is missing in a snapshot leaves with a status; an upsert removes nobody by silence.
            models.CheckConstraint(
                condition=(Q(mode=JobMode.UPSERT) & Q(leaving_status=""))
                | (Q(mode=JobMode.SNAPSHOT) & ~Q(leaving_status="")),
                name="ue_job_leaving_iff_snapshot",
            ),
            # A waiting job tries again by itself, so it must know when.
            models.CheckConstraint(
                condition=~Q(state=JobState.WAITING) | Q(next_try__isnull=False), name="ue_job_waiting_has_next_try"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "queued_at"], name="ue_job_state"),
            models.Index(fields=["program", "state"], name="ue_job_program"),
            models.Index(fields=["school", "finished"], name="ue_job_school"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def program_pk(self) -> int:
        """The primary key of the program whose enrollments the file is about. Raises LookupError for a re-key."""
        if self.program_id is None:
            raise LookupError("A file of student IDs is about no program.")
        return self.program_id


class StagedRow(models.Model):
    """One line of a file between its check and its being applied; scratch, deleted when the job ends.

    `number` is the order of applying, in steps of 1,024; rows that depend on each other stand in the gap behind the
    first of them. `name` is the student ID under which the line's person is known now, `email_normalized` the address
    that it gives. A leaver has no line. The references carry no constraint: checking them costs as much as the insert.

    In a re-key `student_key` and `name` are the old ID, `email` and `email_normalized` the new one, and `email_owner`
    is the new one again, as far as another line could give it up.
    """

    pk = models.CompositePrimaryKey("job", "number")
    job = models.ForeignKey(Job, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    number = models.BigIntegerField()
    line = models.PositiveIntegerField(null=True)
    student_key = models.CharField(max_length=MAX_IDENTITY_LENGTH)
    email = models.CharField(max_length=MAX_IDENTITY_LENGTH)
    status = models.CharField(max_length=64)
    detail_column = models.CharField(max_length=64, help_text="The curriculum's UUID, or whether course staff.")
    course_key = models.CharField(max_length=MAX_IDENTITY_LENGTH)
    course_run = models.ForeignKey(
        CourseRun, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    name = ExactCharField(max_length=MAX_IDENTITY_LENGTH)
    email_normalized = ExactCharField(max_length=MAX_IDENTITY_LENGTH)
    email_owner = ExactCharField(
        max_length=MAX_IDENTITY_LENGTH, help_text="The student ID of who has the address now, if that is another one."
    )
    alters = models.BooleanField(help_text="The line gives its person an address that they do not have yet.")
    word = models.CharField(max_length=24)
    detail = models.CharField(max_length=500)
    removes = models.BooleanField(help_text="Applying it takes somebody who is present away.")
    before = models.CharField(max_length=9, null=True)
    learner = models.ForeignKey(
        Learner, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        verbose_name = _("staged row")
        verbose_name_plural = _("staged rows")
        indexes = [
            models.Index(fields=["job", "name"], name="ue_staged_row_name"),
            models.Index(fields=["job", "email_normalized"], name="ue_staged_row_email"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.number}"


class JobRow(models.Model):
    """What became of one line of a job, or of somebody whom a snapshot does not name.

    Unchanged lines have none.

    `place` is the order in which rows are listed: the line, and behind all lines the leavers. A row that is planned
    tells what a held job would do. `before` and `after` are statuses, or in a re-key student IDs.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="rows", db_index=False, verbose_name=_("job"))
    place = models.BigIntegerField(_("place"))
    line = models.PositiveIntegerField(_("line"), null=True)
    student_key = models.CharField(_("student ID"), max_length=MAX_IDENTITY_LENGTH, blank=True)
    course_id = models.CharField(_("course key"), max_length=255, blank=True)
    word = models.CharField(_("word"), max_length=24)
    changed = models.BooleanField(_("changed"), default=False)
    before = models.CharField(_("before"), max_length=MAX_IDENTITY_LENGTH, null=True)
    after = models.CharField(_("after"), max_length=MAX_IDENTITY_LENGTH, null=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    planned = models.BooleanField(_("planned"), default=False)

    class Meta:
        verbose_name = _("job row")
        verbose_name_plural = _("job rows")
        ordering = ["job", "place"]
        constraints = [
            # A line has one outcome, however often its chunk was begun.
            models.UniqueConstraint(fields=["job", "place"], name="ue_job_row_place_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.line}: {self.word}"


class KeptEnrollment(models.Model):
    """An enrollment that files leave alone: who keeps it, why, and until when.

    Calls of the API change it all the same.

    A table of its own, so that it holds for a promise and for what the promise becomes. `course_run` is NULL for the
    program enrollment. `kept_run` is 0 then: a unique constraint over it tells these apart on every database.
    """

    learner = models.ForeignKey(Learner, models.CASCADE, related_name="kept_enrollments", verbose_name=_("learner"))
    program = models.ForeignKey(
        Program, models.PROTECT, related_name="kept_enrollments", db_index=False, verbose_name=_("program")
    )
    course_run = models.ForeignKey(
        CourseRun, models.PROTECT, null=True, blank=True, related_name="kept_enrollments", verbose_name=_("course run")
    )
    by = models.CharField(_("kept by"), max_length=255, help_text=_("The username at that time."))
    reason = models.CharField(_("reason"), max_length=500)
    until = models.DateField(_("until"), null=True, blank=True, help_text=_("The last day; empty for no end."))
    created = models.DateTimeField(_("created"), default=timezone.now)
    kept_run = models.GeneratedField(
        expression=Case(When(course_run__isnull=False, then=F("course_run")), default=Value(0)),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("kept enrollment")
        verbose_name_plural = _("kept enrollments")
        ordering = ["pk"]
        constraints = [
            # Led by the program: a job asks for all that are kept in its program.
            models.UniqueConstraint(fields=["program", "learner", "kept_run"], name="ue_kept_enrollment_unique"),
            # An enrollment that is left alone must have a reason.
            models.CheckConstraint(condition=~Q(reason="") & ~Q(by=""), name="ue_kept_enrollment_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.program_id}: {self.learner_id}"
