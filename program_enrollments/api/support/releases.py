"""Releases: a school takes a student ID from a learner, to give it to somebody else (ADR 0012)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.learners.identity import check_identity
from program_enrollments.api.learners.rekey_plan import Rekey
from program_enrollments.api.learners.rekey_writes import RekeyWrite
from program_enrollments.api.pieces import cut
from program_enrollments.api.scope import get_school
from program_enrollments.api.transactions import in_transaction, rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import Origin
from program_enrollments.exceptions import TooManyRows
from program_enrollments.models import Learner, School


class Released(TextChoices):
    """The outcome of a release."""

    RELEASED = "released", _("released")
    UNKNOWN = "unknown", _("nobody at the school has this ID")
    DUPLICATED = "duplicated", _("given twice; nothing was done")
    INVALID = "invalid-identity", _("cannot be a student ID")


GOOD = frozenset({Released.RELEASED})


def release_student_keys(
    *, school: School, student_keys: Sequence[str], origin: Origin, dry_run: bool = False, now: datetime | None = None
) -> list[Released]:
    """Take these student IDs from the learners who have them. Return one outcome per ID, in order.

    The learners keep their accounts and enrollments under their e-mail address, or else under a pseudonym that can be
    neither enrolled nor used to sign on. The identity is removed from the account, and the next person with the ID is
    another learner. An ID that is free already is `released`. Each chunk is a transaction. Repeating the call changes
    nothing more. Raises TooManyRows.
    """
    limit = get_setting("MAX_ROWS")
    if len(student_keys) > limit:
        raise TooManyRows(limit=limit, received=len(student_keys))
    moment = now or timezone.now()
    identities = [check_identity(student_key=key, email="", domains=()) for key in student_keys]
    times = Counter(identity.student_key_normalized for identity in identities if identity.valid)
    words = [
        Released.INVALID
        if not identity.valid
        else Released.DUPLICATED
        if times[identity.student_key_normalized] > 1
        else Released.UNKNOWN
        for identity in identities
    ]
    numbers = {
        identity.student_key_normalized: number
        for number, identity in enumerate(identities)
        if words[number] == Released.UNKNOWN
    }
    keys = sorted(numbers)
    write = RekeyWrite(school_id=school.pk, slug="", honor_old_until=None, origin=origin, now=moment)
    for chunk in cut(keys):
        rekeys = [Rekey(numbers[key], key, "", "") for key in chunk]
        outcomes = (rehearse if dry_run else in_transaction)(partial(write.write, rekeys))
        for number, outcome in outcomes.items():
            words[number] = Released(outcome.word)
    return words


def release_student_keys_at(
    *, school_key: str, student_keys: Sequence[str], origin: Origin, dry_run: bool = False
) -> list[Released]:
    """Release student IDs as `release_student_keys` does, at the school with this key.

    Raises SchoolDoesNotExist.
    """
    return release_student_keys(
        school=get_school(key=school_key), student_keys=student_keys, origin=origin, dry_run=dry_run
    )


def release_learner(*, learner_id: int, origin: Origin, now: datetime | None = None) -> bool:
    """Release the student ID of one learner; False if the learner has none to release."""
    found = (
        Learner.objects.filter(pk=learner_id, student_key_normalized__isnull=False, retired_at=None)
        .select_related("school")
        .first()
    )
    if found is None:
        return False
    words = release_student_keys(school=found.school, student_keys=[found.student_key], origin=origin, now=now)
    return words == [Released.RELEASED]
