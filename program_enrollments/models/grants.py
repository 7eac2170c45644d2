"""Grants: what an API user may do, on a school or on one program."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from model_utils.models import TimeStampedModel

from program_enrollments.data import SCHOOL_PERMISSIONS, Permission
from program_enrollments.models.catalog import Program
from program_enrollments.models.schools import School


class Grant(TimeStampedModel):
    """One permission of one user, on all programs of a school or on a single program.

    Nothing else gives access, except Django's permission `act_for_all_schools`, which gives every permission on every
    school.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="university_grants",
        db_index=False,
        verbose_name=_("user"),
    )
    school = models.ForeignKey(
        School, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("school")
    )
    program = models.ForeignKey(
        Program, models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("program")
    )
    permission = models.CharField(_("permission"), max_length=20, choices=Permission.choices)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["user", "pk"]
        permissions = [("act_for_all_schools", "Can act for all schools")]
        constraints = [
            # With both, the scope would be unclear; with neither, the grant would be for everything.
            models.CheckConstraint(
                condition=Q(school__isnull=False, program__isnull=True) | Q(school__isnull=True, program__isnull=False),
                name="ue_grant_school_or_program",
            ),
            models.UniqueConstraint(fields=["user", "school", "permission"], name="ue_grant_school_unique"),
            models.UniqueConstraint(fields=["user", "program", "permission"], name="ue_grant_program_unique"),
            models.CheckConstraint(condition=Q(permission__in=Permission.values), name="ue_grant_permission_known"),
            # These permissions concern the school as a whole. On one program they would mean nothing, or too much.
            models.CheckConstraint(
                condition=Q(program__isnull=True) | ~Q(permission__in=[word.value for word in SCHOOL_PERMISSIONS]),
                name="ue_grant_for_schools_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.permission}"
