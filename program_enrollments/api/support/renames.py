"""Renamings: a school gives its students other IDs.

See docs/sso.rst, Moving to another identity provider. Files do the same, and more, as jobs (ADR 0026).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.learners.identity import check_identity
from program_enrollments.api.learners.rekey_plan import MAX_TOGETHER, Rekey, group_rekeys
from program_enrollments.api.learners.rekey_writes import RekeyWrite
from program_enrollments.api.learners.student_keys import fetch_current_keys
from program_enrollments.api.transactions import in_transaction, rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import Origin, RekeyWord
from program_enrollments.models import IdentityProvider


class Renaming(NamedTuple):
    """One student's ID, and the one that takes its place."""

    old: str
    new: str


class Renamed(TextChoices):
    """The outcome of a renaming."""

    RENAMED = "renamed", _("renamed")
    UNCHANGED = "unchanged", _("had this ID already")
    UNKNOWN = "unknown", _("nobody at the school has the old ID")
    TAKEN = "taken", _("somebody else at the school has the new ID")
    INVALID = "invalid", _("one of the IDs cannot be used, or stands in several rows")


def rename_students(
    *,
    provider: IdentityProvider,
    renamings: Sequence[Renaming],
    origin: Origin,
    honor_old_until: datetime | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[Renamed]:
    """Give learners of the provider's school other student IDs. Return one outcome per renaming, in order.

    `provider` asserts the new IDs. Accounts linked by single sign-on or by staff get the new identity under it, so that
    their owners sign on as before. Owners of other accounts are offered their account at the first sign-on (ADR 0008).
    The old identity is removed from the account, and the old ID is free for somebody else (ADR 0012). With
    `honor_old_until`, both IDs name the same learner until then. Swaps and chains are judged by their result, and more
    than 1,000 renamings that depend on each other are refused. Each chunk is a transaction. Repeating the call changes
    nothing more.
    """
    moment = now or timezone.now()
    words = [Renamed.INVALID] * len(renamings)
    write = RekeyWrite(
        school_id=provider.school_id,
        slug=provider.slug,
        honor_old_until=honor_old_until,
        origin=origin,
        now=moment,
    )
    for chunk in _cut(group_rekeys(_usable(renamings, school_id=provider.school_id, now=moment))):
        outcomes = (rehearse if dry_run else in_transaction)(partial(write.write, chunk))
        for number, outcome in outcomes.items():
            is_unchanged = outcome.word == RekeyWord.RENAMED and not outcome.changed
            words[number] = Renamed.UNCHANGED if is_unchanged else Renamed(outcome.word)
    return words


def _usable(renamings: Sequence[Renaming], *, school_id: int, now: datetime) -> list[Rekey]:
    """Return the renamings that can be understood, and of which no two concern the same ID."""
    checked = []
    for number, renaming in enumerate(renamings):
        old = check_identity(student_key=renaming.old, email="", domains=(), allow_pseudonyms=True)
        new = check_identity(student_key=renaming.new, email="", domains=())
        if old.valid and new.valid:
            checked.append(Rekey(number, old.student_key_normalized, new.student_key, new.student_key_normalized))
    current = fetch_current_keys(school_id=school_id, student_keys={rekey.old for rekey in checked}, now=now)
    rekeys = [rekey._replace(old=current.get(rekey.old, rekey.old)) for rekey in checked]
    old_times = Counter(rekey.old for rekey in rekeys)
    new_times = Counter(rekey.new for rekey in rekeys)
    return [rekey for rekey in rekeys if old_times[rekey.old] == 1 == new_times[rekey.new]]


def _cut(groups: Sequence[Sequence[Rekey]]) -> list[list[Rekey]]:
    """Return chunks of whole groups; those that are too large are left out."""
    size = get_setting("CHUNK_SIZE")
    chunks: list[list[Rekey]] = []
    for group in groups:
        if len(group) > MAX_TOGETHER:
            continue
        if not chunks or len(chunks[-1]) + len(group) > size:
            chunks.append([])
        chunks[-1] += group
    return chunks
