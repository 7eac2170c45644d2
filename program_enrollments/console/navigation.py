"""Navigation: the pages that somebody may open, by what the grants on a program or school allow."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.data import SCHOOL_PERMISSIONS, Permission
from program_enrollments.pages.frames import Link, LinkGroup

PROGRAM_PAGES: tuple[tuple[str, str | Promise, frozenset[str]], ...] = (
    ("learners", gettext_lazy("Learners"), frozenset({Permission.READ_ENROLLMENTS})),
    ("courses", gettext_lazy("Courses"), frozenset(Permission)),
    ("grades", gettext_lazy("Grades"), frozenset({Permission.READ_REPORTS})),
    ("attendance", gettext_lazy("Attendance"), frozenset({Permission.READ_REPORTS})),
    ("files", gettext_lazy("Files"), frozenset({Permission.READ_ENROLLMENTS, Permission.WRITE_ENROLLMENTS})),
    ("changes", gettext_lazy("Changes"), frozenset({Permission.READ_ENROLLMENTS})),
)
"""The pages of a program in their order: URL name, label, and the permissions of which one opens the page."""

SCHOOL_PAGES: tuple[tuple[str, str | Promise, frozenset[str]], ...] = (
    ("student-keys", gettext_lazy("Student IDs"), frozenset({Permission.WRITE_ENROLLMENTS})),
    ("brand", gettext_lazy("Settings"), frozenset({Permission.MANAGE_SCHOOL})),
    ("sign-in", gettext_lazy("Sign-in"), frozenset({Permission.MANAGE_SIGN_ON})),
    ("feeds", gettext_lazy("Feeds"), frozenset({Permission.MANAGE_SCHOOL})),
    ("contacts", gettext_lazy("Contacts"), frozenset({Permission.MANAGE_SCHOOL})),
    ("webhooks", gettext_lazy("Webhooks"), frozenset({Permission.MANAGE_SCHOOL})),
    ("people", gettext_lazy("People"), frozenset({Permission.MANAGE_ACCESS})),
    ("disclosures", gettext_lazy("Who looked"), frozenset({Permission.MANAGE_ACCESS})),
)
"""The same of a school."""


def console_links(*, current: str) -> list[LinkGroup]:
    """Return the links that stand on every page."""
    return [LinkGroup("", [Link(_("All programs"), reverse("console:home"), current == "home")])]


def program_links(program: api.Program, *, permissions: Collection[str], current: str) -> list[LinkGroup]:
    """Return the links of a program."""
    links = [
        Link(label, reverse(f"console:{name}", args=[program.uuid]), name == current)
        for name, label, opened_by in PROGRAM_PAGES
        if opened_by.intersection(permissions)
    ]
    return [LinkGroup(program.title, links)]


def school_links(
    school: api.School, *, access: api.Access, permissions: Collection[str], current: str
) -> list[LinkGroup]:
    """Return the links of a school as a whole; none for people who may do nothing there.

    `permissions` are those on the school or on a program of it.
    """
    held = {one for one in permissions if one in SCHOOL_PERMISSIONS}
    writing = Permission.WRITE_ENROLLMENTS
    # The one permission that opens a school's page and can also be held on a program alone, where it does not.
    if writing in permissions and access.reach(permission=writing, school_id=school.pk).is_school_wide:
        held.add(writing)
    links = [
        Link(label, reverse(f"console:{name}", args=[school.key]), name == current)
        for name, label, opened_by in SCHOOL_PAGES
        if opened_by.intersection(held)
    ]
    return [LinkGroup(school.name, links)] if links else []
