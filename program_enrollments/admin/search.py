"""Search boxes of support staff: by student ID, e-mail address, username or program."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.admin.large_tables import AnyQuerySet
from program_enrollments.models import Program
from program_enrollments.normalization import parse_uuid

LEARNER_HELP = _(
    "Student ID or e-mail address, or how it begins, in any spelling; the exact username of the account; "
    "or a reference number, such as #4711."
)
ENROLLMENT_HELP = _(
    "The learner: student ID or e-mail address, or how it begins, or the exact username. "
    "Or the program: its UUID, or part of its title or key."
)


def naming_program(*, text: str, prefix: str = "") -> Q:
    """Return the condition that a program has this UUID, or has `text` in its title or key.

    `prefix` is the lookup path to the program.
    """
    uuid = parse_uuid(text.strip())
    if uuid is not None:
        return Q(**{f"{prefix}uuid": uuid})
    return Q(**{f"{prefix}title__icontains": text}) | Q(**{f"{prefix}key__icontains": text})


def search_enrollments(*, queryset: AnyQuerySet, text: str) -> AnyQuerySet:
    """Filter rows that have a learner and a program by `text`. An empty text filters nothing."""
    text = text.strip()
    if not text:
        return queryset
    if "\x00" in text:
        return queryset.none()
    learners = api.find_learners(text=text)
    programs = Program.objects.filter(naming_program(text=text)).order_by().values_list("pk", flat=True)
    return queryset.filter(Q(learner_id__in=learners) | Q(program_id__in=list(programs)))
