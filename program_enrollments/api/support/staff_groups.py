"""Staff groups: ready-made groups of permissions for people who work in Django admin (ADR 0023)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

from program_enrollments.api.transactions import in_transaction
from program_enrollments.exceptions import PermissionMissing

APP_LABEL = "university_enrollments"
PREFIX = "University enrollments: "


def _on(actions: str, models: str) -> frozenset[str]:
    """Return the codenames of these actions on these models, both separated by spaces."""
    return frozenset(f"{action}_{model}" for action in actions.split() for model in models.split())


ENROLLMENTS = "programenrollment preemptiveprogramenrollment programcourseenrollment preemptivecourseenrollment"
CATALOG = "school schoolemaildomain program curriculum curriculumcourserun courserun"
SIGN_ON = "identityprovider samlconfiguration"
SUPPORT_VIEW = _on(
    "view",
    f"learner {ENROLLMENTS} ledgerentry keptenrollment job jobrow frozengrade gradefreeze {CATALOG} {SIGN_ON}",
)
STAFF_GROUPS: Mapping[str, frozenset[str]] = {
    f"{PREFIX}support (view)": SUPPORT_VIEW,
    f"{PREFIX}support (act)": SUPPORT_VIEW
    | _on("change", f"learner {ENROLLMENTS} job")
    | _on("add change delete", "keptenrollment"),
    f"{PREFIX}onboarding": _on("view", f"{CATALOG} metadatarequest invitation accesschange")
    | _on("add change", f"school {SIGN_ON}")
    | _on("view", SIGN_ON)
    | _on("add change delete view", "schoolemaildomain grant"),
}
"""The permissions of each group, by the group's name. A group that exists is the operators' own."""


@dataclass(frozen=True, slots=True)
class MadeGroup:
    """What became of a group, or would in a dry run.

    `added` are codenames that it gets, and `lacking` those that an existing group lacks and that were left alone.
    """

    name: str
    is_new: bool
    added: tuple[str, ...]
    lacking: tuple[str, ...]


def make_staff_groups(*, complete: bool = False, dry_run: bool = False) -> list[MadeGroup]:
    """Make the ready-made groups that don't exist yet, and return what became of each.

    Groups that exist are left as they are. With `complete`, they get what they lack; nothing is ever taken from them.
    Raises PermissionMissing if the permissions don't exist, because `migrate` has not run.
    """
    wanted = frozenset[str]().union(*STAFF_GROUPS.values())

    def work() -> list[MadeGroup]:
        permissions = {
            each.codename: each
            for each in Permission.objects.filter(content_type__app_label=APP_LABEL, codename__in=wanted)
        }
        if wanted - permissions.keys():
            raise PermissionMissing
        there = {group.name: group for group in Group.objects.filter(name__in=STAFF_GROUPS)}
        made = []
        for name, codenames in STAFF_GROUPS.items():
            group = there.get(name)
            held = set(group.permissions.values_list("codename", flat=True)) if group is not None else set()
            missing = sorted(codenames - held)
            adds = group is None or complete
            if adds and not dry_run:
                group = group or Group.objects.create(name=name)
                group.permissions.add(*_of(permissions, missing))
            is_new = name not in there
            made.append(MadeGroup(name, is_new, tuple(missing) if adds else (), () if adds else tuple(missing)))
        return made

    return in_transaction(work)


def _of(permissions: Mapping[str, Permission], codenames: Iterable[str]) -> list[Permission]:
    return [permissions[codename] for codename in codenames]
