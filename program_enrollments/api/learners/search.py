"""Searching learners: by a typed text, and by needing a person.

Both answer with IDs, from one indexed look-up a kind of match: the cost doesn't grow with the tables, and doesn't
depend on how a database plans an OR.
"""

from __future__ import annotations

import re

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from program_enrollments.api.learners.claims import find_accounts_by_email
from program_enrollments.conf import get_setting
from program_enrollments.models import Learner, PreemptiveCourseEnrollment, School
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, normalize_identity

MAX_FOUND = 1_000
REFUSED = "refused"
LAST_CHARACTER = "\U0010ffff"
NUMBER = re.compile(r"#([0-9]{1,18})")


def find_learners(*, text: str, school_id: int | None = None, limit: int = MAX_FOUND) -> list[int]:
    """Return the IDs of learners whom `text` names or begins to name.

    Their student ID or e-mail address begins with it, by the one notion of equality, or their account has it as its
    username or as its confirmed address. A number with # before it is also the learner's own, as pages of a disputed
    sign-on give it.

    At most `limit` of each kind, of one school if it is named. Text that no identity can begin with finds nobody.
    """
    normalized = normalize_identity(text)
    if not normalized or "\x00" in text or len(normalized) > MAX_IDENTITY_LENGTH:
        return []
    learners = (
        Learner.objects.order_by() if school_id is None else Learner.objects.filter(school_id=school_id).order_by()
    )
    last = normalized + LAST_CHARACTER
    # Led by the school, as the index is: with the schools named, the prefix is a range in it.
    schools = list(School.objects.order_by().values_list("pk", flat=True)) if school_id is None else [school_id]
    kinds: list[QuerySet[Learner]] = [
        learners.filter(
            school_id__in=schools, student_key_normalized__gte=normalized, student_key_normalized__lte=last
        ),
        learners.filter(email_normalized__gte=normalized, email_normalized__lte=last),
        learners.filter(**{f"user__{get_user_model().USERNAME_FIELD}": text.strip()}),
    ]
    number = NUMBER.fullmatch(text.strip())
    if number is not None:
        kinds.append(learners.filter(pk=int(number[1])))
    accounts = find_accounts_by_email(emails=[normalized]) if "@" in normalized else {}
    if accounts:
        kinds.append(learners.filter(user_id__in=accounts.values()))
    found: dict[int, None] = {}
    for kind in kinds:
        found.update(dict.fromkeys(kind.values_list("pk", flat=True)[:limit]))
    return list(found)


def find_learners_in_need(*, kind: str = "", limit: int = MAX_FOUND) -> list[int]:
    """Return the IDs of learners who need a person, for one `kind` of reason or, with "", for all.

    A kind is a value of `LearnerProblem`, or `REFUSED`: the host refused a course enrollment too often.

    At most `limit` of each kind.
    """
    found: dict[int, None] = {}
    if kind != REFUSED:
        problems = with_problem().filter(problem_code=kind) if kind else with_problem()
        found.update(dict.fromkeys(problems.order_by().values_list("pk", flat=True)[:limit]))
    if kind in {"", REFUSED}:
        found.update(dict.fromkeys(refused().values_list("learner_id", flat=True).distinct()[:limit]))
    return list(found)


def count_learners_in_need() -> int:
    """Return how many learners need a person. Two statements, which read only those."""
    also = refused().filter(learner__problem_code="")
    return with_problem().count() + also.values("learner_id").distinct().count()


def with_problem() -> QuerySet[Learner]:
    """Return the learners with a stored problem, found by its index."""
    return Learner.objects.exclude(problem_code="")


def refused() -> QuerySet[PreemptiveCourseEnrollment]:
    """Return what linked learners wait for and no sweep will try again."""
    kept = PreemptiveCourseEnrollment.objects.exclude(problem_code="").order_by()
    return kept.filter(refusals__gte=get_setting("MAX_TRIES"), learner__user__isnull=False)
