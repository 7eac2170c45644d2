"""Feeds: where a school's files come from by themselves, and the files that came (ADR 0029)."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import FeedFileState, JobKind, JobMode
from program_enrollments.models.catalog import Program
from program_enrollments.models.jobs import Job
from program_enrollments.models.schools import School
from program_enrollments.sql.fields import ExactCharField

ALL_DAYS = 127
WORKING_DAYS = 31

OF_PROGRAMS = [JobKind.PROGRAM_ENROLLMENTS.value, JobKind.COURSE_ENROLLMENTS.value]
"""Kinds of files that are about one program."""


class Feed(models.Model):
    """A folder in which a school's files of one kind arrive, what they mean, and when they are expected.

    `folder` lies below the school's own folder, so that no feed can name another school's. `expected_days` has a bit
    per weekday, Monday the lowest. Whether a feed is late is not stored: it follows from these columns and the time.
    """

    school = models.ForeignKey(School, models.PROTECT, related_name="feeds", verbose_name=_("school"))
    program = models.ForeignKey(Program, models.PROTECT, null=True, related_name="feeds", verbose_name=_("program"))
    kind = models.CharField(
        _("kind"), max_length=24, choices=[choice for choice in JobKind.choices if choice[0] in OF_PROGRAMS]
    )
    mode = models.CharField(_("mode"), max_length=8, choices=JobMode.choices)
    leaving_status = models.CharField(_("status of who leaves"), max_length=9, blank=True)
    cascade = models.BooleanField(_("cascade"), default=False)
    folder = ExactCharField(_("folder"), max_length=200, blank=True)
    pattern = ExactCharField(_("pattern of names"), max_length=100)
    expected_days = models.PositiveSmallIntegerField(_("expected on"), default=WORKING_DAYS)
    expected_at = models.TimeField(_("expected until"))
    expected_since = models.DateTimeField(_("expected since"), help_text=_("Nothing that was due earlier is missed."))
    is_active = models.BooleanField(_("active"), default=True)
    received_at = models.DateTimeField(_("last file"), null=True)
    changed_at = models.DateTimeField(_("changed at"))
    changed_by_id = models.BigIntegerField(_("changed by"), null=True, help_text=_("The host's user ID."))
    snapshot_program = models.GeneratedField(
        expression=Case(When(Q(mode=JobMode.SNAPSHOT) & Q(is_active=True), then=F("program")), default=None),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")
        ordering = ["pk"]
        constraints = [
            # Two snapshots of the same people would remove each other's.
            models.UniqueConstraint(fields=["snapshot_program", "kind"], name="ue_feed_one_snapshot"),
            models.CheckConstraint(condition=Q(kind__in=OF_PROGRAMS), name="ue_feed_kind_known"),
            models.CheckConstraint(condition=Q(mode__in=JobMode.values), name="ue_feed_mode_known"),
            # A name of a file cannot tell for sure which program it is about.
            models.CheckConstraint(
                condition=~Q(kind__in=OF_PROGRAMS) | Q(program__isnull=False), name="ue_feed_has_program"
            ),
            models.CheckConstraint(
                condition=(Q(mode=JobMode.UPSERT) & Q(leaving_status=""))
                | (Q(mode=JobMode.SNAPSHOT) & ~Q(leaving_status="")),
                name="ue_feed_leaving_iff_snapshot",
            ),
            # A folder that leads up could be another school's.
            models.CheckConstraint(
                condition=~Q(folder__contains="..") & ~Q(folder__startswith="/"), name="ue_feed_folder_inside"
            ),
            models.CheckConstraint(condition=~Q(pattern=""), name="ue_feed_has_pattern"),
            models.CheckConstraint(condition=Q(expected_days__lte=ALL_DAYS), name="ue_feed_days_possible"),
        ]

    def __str__(self) -> str:
        return f"{self.folder}/{self.pattern}" if self.folder else str(self.pattern)


class FeedLook(models.Model):
    """The last look at a school's folders.

    One collector at a time looks: it claims the row until `claimed_until`.
    """

    school = models.OneToOneField(School, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("school"))
    looked_at = models.DateTimeField(_("looked at"), null=True)
    claimed_until = models.DateTimeField(null=True)
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)

    class Meta:
        verbose_name = _("look at a school's feeds")
        verbose_name_plural = _("looks at schools' feeds")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.pk)


class FeedFile(models.Model):
    """A file that a feed brought: first only seen, then taken as a job, or rejected.

    It is known by path, size and modification time, so that one that is looked at twice is one job. `kept_path` is
    where it was moved, and `delete_at` until when it is kept there.
    """

    feed = models.ForeignKey(Feed, models.CASCADE, related_name="files", db_index=False, verbose_name=_("feed"))
    path = ExactCharField(_("path"), max_length=500)
    size = models.BigIntegerField(_("bytes"))
    modified_at = models.DateTimeField(_("modified at"))
    seen_at = models.DateTimeField(_("first seen"))
    state = models.CharField(_("state"), max_length=8, choices=FeedFileState.choices, default=FeedFileState.SEEN)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+", verbose_name=_("job"))
    problem = models.CharField(_("problem"), max_length=1000, blank=True)
    moved_at = models.DateTimeField(_("moved at"), null=True)
    kept_path = models.CharField(_("kept as"), max_length=600, blank=True)
    delete_at = models.DateTimeField(_("deleted after"), null=True)

    class Meta:
        verbose_name = _("file of a feed")
        verbose_name_plural = _("files of feeds")
        ordering = ["-pk"]
        constraints = [
            # Two collectors that meet at a file are to make one job of it.
            models.UniqueConstraint(fields=["path", "size", "modified_at"], name="ue_feed_file_known_once"),
            models.CheckConstraint(condition=Q(state__in=FeedFileState.values), name="ue_feed_file_state_known"),
            # A decision has a time, by which retention goes.
            models.CheckConstraint(
                condition=Q(state=FeedFileState.SEEN, decided_at__isnull=True)
                | (~Q(state=FeedFileState.SEEN) & Q(decided_at__isnull=False)),
                name="ue_feed_file_decided_at",
            ),
        ]
        indexes = [models.Index(fields=["feed", "decided_at"], name="ue_feed_file_last")]

    def __str__(self) -> str:
        return str(self.path)


class FeedHoliday(models.Model):
    """Days on which none of a school's files is expected, the first and the last one included."""

    school = models.ForeignKey(School, models.CASCADE, related_name="feed_holidays", verbose_name=_("school"))
    first_day = models.DateField(_("first day"))
    last_day = models.DateField(_("last day"))

    class Meta:
        verbose_name = _("holiday of feeds")
        verbose_name_plural = _("holidays of feeds")
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="ue_feed_holiday_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.first_day}–{self.last_day}"
