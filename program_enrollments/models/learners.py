"""Learners: persons as one school knows them. Their rows are the locks of the app (ADR 0002)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.data import LearnerProblem, LinkHow, LinkState
from program_enrollments.models.schools import School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH
from program_enrollments.sql.fields import NormalizedField
from program_enrollments.sql.indexes import NotBlankIndex


class Learner(TimeStampedModel):
    """A person as one school knows them: by student ID, e-mail address or both, and later by account.

    Every write to a learner's enrollments locks this row. Equal strings at two schools are two learners. The first
    sign-on through a school's identity provider creates a learner even if the school has enrolled nobody under that
    ID: a write that crosses the sign-in then meets it at the unique constraint.

    This table alone knows a school's student IDs (ADR 0012). When an ID is taken from a learner, a row without a
    person keeps the ID. With `honored_for`, it still names that learner until `honored_until`. Without, it belongs to
    the next person to whom the school gives it, and sign-ons before `key_since` were the former holder's.
    """

    school = models.ForeignKey(
        School, models.PROTECT, related_name="learners", db_index=False, verbose_name=_("school")
    )
    student_key = models.CharField(_("student ID"), max_length=MAX_IDENTITY_LENGTH, blank=True)
    student_key_normalized = NormalizedField(source="student_key")
    email = models.CharField(_("e-mail"), max_length=MAX_IDENTITY_LENGTH, blank=True)
    email_normalized = NormalizedField(source="email")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="university_learners",
        # The unique constraint is led by the account.
        db_index=False,
        verbose_name=_("account"),
    )
    link_how = models.CharField(_("linked by"), max_length=8, blank=True, choices=LinkHow.choices)
    linked_at = models.DateTimeField(_("linked at"), null=True, blank=True)
    problem_code = models.CharField(_("problem"), max_length=32, blank=True, choices=LearnerProblem.choices)
    problem_detail = models.CharField(_("what is wrong"), max_length=500, blank=True)
    problem_at = models.DateTimeField(_("since"), null=True, blank=True)
    undone_how = models.CharField(
        _("was linked by"),
        max_length=8,
        blank=True,
        default="",
        db_default="",
        choices=LinkHow.choices,
        help_text=_("The evidence of a link that was undone. Weaker evidence does not link this learner by itself."),
    )
    proposed_email = models.CharField(
        _("proposed e-mail"),
        max_length=MAX_IDENTITY_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text=_("A new address that the school sent and that may be another person's: a person has to decide."),
    )
    key_since = models.DateTimeField(
        _("student ID held since"),
        null=True,
        blank=True,
        help_text=_("When the school took this student ID from somebody else. Older sign-ons with it were theirs."),
    )
    honored_for = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="honored_keys",
        verbose_name=_("former student ID of"),
    )
    honored_until = models.DateTimeField(_("honored until"), null=True, blank=True)
    retired_at = models.DateTimeField(
        _("retired at"), null=True, blank=True, help_text=_("Since then nothing here says who this was.")
    )

    class Meta:
        verbose_name = _("learner")
        verbose_name_plural = _("learners")
        ordering = ["pk"]
        constraints = [
            # One student ID of a school is one person, on every database.
            models.UniqueConstraint(fields=["school", "student_key_normalized"], name="ue_learner_student_key_unique"),
            # Led by the address, because evidence is an e-mail address without a school.
            models.UniqueConstraint(fields=["email_normalized", "school"], name="ue_learner_email_unique"),
            # An account is at most one person at a school; it may be one person at each of several.
            models.UniqueConstraint(fields=["user", "school"], name="ue_learner_user_unique"),
            # A learner without any identity could never be linked.
            models.CheckConstraint(
                condition=Q(student_key_normalized__isnull=False) | Q(email_normalized__isnull=False),
                name="ue_learner_has_identity",
            ),
            models.CheckConstraint(condition=Q(link_how__in=["", *LinkHow.values]), name="ue_learner_link_how_known"),
            # A link always has its evidence, and only a link has. Deleting an account has to undo the link first.
            models.CheckConstraint(
                condition=Q(user__isnull=True, link_how="") | (Q(user__isnull=False) & ~Q(link_how="")),
                name="ue_learner_link_says_how",
            ),
            # The row of an honored ID has no person of its own, and always has an end.
            models.CheckConstraint(
                condition=Q(honored_for__isnull=True, honored_until__isnull=True)
                | Q(
                    honored_for__isnull=False,
                    honored_until__isnull=False,
                    user__isnull=True,
                    email_normalized__isnull=True,
                ),
                name="ue_learner_honored_is_nobody",
            ),
            # A retired learner is never linked.
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True) | Q(user__isnull=True, email_normalized__isnull=True),
                name="ue_learner_retired_is_nobody",
            ),
        ]
        # Finds the few learners with a problem without reading all others.
        indexes = [NotBlankIndex(fields=["problem_code"], name="ue_learner_problem")]

    def __str__(self) -> str:
        return self.display_key

    @property
    def display_key(self) -> str:
        """The `student_key` of answers and lists: the student ID, or the e-mail address if there is no ID."""
        return self.student_key or self.email

    @property
    def link_state(self) -> str:
        """A value of `LinkState`."""
        if self.problem_code == LearnerProblem.CONFLICT:
            return LinkState.CONFLICT.value
        return LinkState.LINKED.value if self.user_id is not None else LinkState.WAITING.value


class LinkClaim(models.Model):
    """Evidence that a learner is an account, if it did not link them, and a person's decision (ADR 0006).

    Open claims are the learner's conflict. If a person decided against a claim, the same or weaker evidence never links
    the account. Another sign-on or confirmation by that account opens the claim again, and it stays dismissed. The
    sweep does not open it.
    """

    learner = models.ForeignKey(
        Learner, models.CASCADE, related_name="claims", db_index=False, verbose_name=_("learner")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="university_claims", verbose_name=_("account")
    )
    how = models.CharField(_("claimed by"), max_length=8, choices=LinkHow.choices)
    at = models.DateTimeField(_("at"))
    is_open = models.BooleanField(_("open"), default=True, help_text=_("A person has to decide."))
    is_dismissed = models.BooleanField(_("dismissed"), default=False, help_text=_("A person decided against it."))

    class Meta:
        verbose_name = _("claim on a learner")
        verbose_name_plural = _("claims on learners")
        ordering = ["pk"]
        constraints = [
            # Only the latest claim of an account on a learner is kept.
            models.UniqueConstraint(fields=["learner", "user"], name="ue_link_claim_unique"),
            models.CheckConstraint(condition=Q(how__in=LinkHow.values), name="ue_link_claim_how_known"),
        ]

    def __str__(self) -> str:
        return f"{self.how} #{self.pk}"
