"""Renamings: a school gives its students other IDs.

See docs/sso.rst, Moving to another identity provider.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.identity import check_identity
from program_enrollments.api.learners.locks import LockedLearner, find_learner_ids, lock_learners
from program_enrollments.api.learners.student_keys import (
    FormerKey,
    find_vacant,
    give_identities,
    take_identities,
    vacate_keys,
)
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.pieces import cut
from program_enrollments.api.sso.providers import get_identity_provider
from program_enrollments.api.transactions import CrossedByAnother, in_transaction
from program_enrollments.data import Change, ChangeKind, LinkHow, Origin
from program_enrollments.models import IdentityProvider, Learner
from program_enrollments.normalization import is_pseudonym
from program_enrollments.sql.bulk import update_rows

TRUSTED_LINKS = frozenset({LinkHow.SSO.value, LinkHow.STAFF.value})
"""Kinds of links whose accounts get the identity with the new ID automatically."""


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
    `honor_old_until`, both IDs name the same learner until then. Each chunk is a transaction. Repeating the call
    changes nothing more.
    """
    moment = now or timezone.now()
    words = [Renamed.INVALID] * len(renamings)
    usable = _usable(renamings)
    for chunk in cut(usable):

        def work(chunk: Sequence[tuple[int, str, str, str]] = chunk) -> dict[int, Renamed]:
            renaming = _ChunkRenaming(provider, chunk, origin, honor_old_until, moment)
            try:
                return renaming.look(dry_run=dry_run)
            except IntegrityError as error:
                # Another writer has just used one of the new IDs. The next look-up finds it.
                raise CrossedByAnother from error

        for number, word in in_transaction(work).items():
            words[number] = word
    return words


def rename_students_at(
    *,
    identity_provider: str,
    renamings: Sequence[Renaming],
    origin: Origin,
    honor_old_until: datetime | None = None,
    dry_run: bool = False,
) -> list[Renamed]:
    """Rename students as `rename_students` does, at the school of the identity provider with this slug.

    Raises IdentityProviderDoesNotExist.
    """
    return rename_students(
        provider=get_identity_provider(slug=identity_provider),
        renamings=renamings,
        origin=origin,
        honor_old_until=honor_old_until,
        dry_run=dry_run,
    )


def _usable(renamings: Sequence[Renaming]) -> list[tuple[int, str, str, str]]:
    """Return the renamings that can be understood.

    Each has its number, the old ID (normalized), and the new ID as given and normalized.
    """
    checked = []
    times: Counter[str] = Counter()
    for number, renaming in enumerate(renamings):
        old = check_identity(student_key=renaming.old, email="", domains=(), allow_pseudonyms=True)
        new = check_identity(student_key=renaming.new, email="", domains=())
        if old.valid and new.valid:
            checked.append((number, old.student_key_normalized, new.student_key, new.student_key_normalized))
            times.update({old.student_key_normalized, new.student_key_normalized})
    return [row for row in checked if times[row[1]] == 1 and times[row[3]] == 1]


class _Rename(NamedTuple):
    """A learner, and the ID that takes the place of theirs: as given and normalized."""

    learner: LockedLearner
    given: str
    normalized: str

    @property
    def is_respelling(self) -> bool:
        return self.learner.student_key_normalized == self.normalized


def _held_since(rename: _Rename, freed: Mapping[str, LockedLearner], since: datetime) -> datetime | None:
    """Return the time since which sign-ons with the new ID are the learner's, or None if all are."""
    if rename.is_respelling:
        return rename.learner.key_since
    if rename.learner.user_id is not None:
        # The account exists, but nobody has signed on to it with the new ID before.
        return since
    former = freed.get(rename.normalized)
    return former.key_since if former is not None else None


@dataclass(frozen=True, slots=True)
class _ChunkRenaming:
    """The renamings of one transaction."""

    provider: IdentityProvider
    chunk: Sequence[tuple[int, str, str, str]]
    origin: Origin
    honor_old_until: datetime | None
    now: datetime

    def look(self, *, dry_run: bool) -> dict[int, Renamed]:
        """Lock the learners, decide, and unless `dry_run` write."""
        keys = {key for _number, old, _given, new in self.chunk for key in (old, new)}
        ids = find_learner_ids(school_id=self.provider.school_id, student_keys=keys, emails=())
        users = Learner.objects.filter(pk__among=ids, user__isnull=False).values_list("user_id", flat=True)
        held = hold_accounts(user_ids=users)
        locked = lock_learners(ids=ids)
        held.require(learner.user_id for learner in locked)
        learners = {learner.student_key_normalized: learner for learner in locked}
        vacant = find_vacant(learners=learners.values())
        words: dict[int, Renamed] = {}
        renames: list[_Rename] = []
        freed: dict[str, LockedLearner] = {}
        for number, old, given, new in self.chunk:
            learner, there = learners.get(old), learners.get(new)
            if learner is None or learner.id in vacant or learner.honored_for_id is not None:
                words[number] = Renamed.UNCHANGED if there is not None else Renamed.UNKNOWN
            elif there is not None and old != new and not self._is_free(there, learner, vacant):
                words[number] = Renamed.TAKEN
            elif learner.student_key == given:
                words[number] = Renamed.UNCHANGED
            else:
                words[number] = Renamed.RENAMED
                renames.append(_Rename(learner, given, new))
                if there is not None and old != new:
                    freed[new] = there
        if renames and not dry_run:
            Learner.objects.filter(pk__in=[there.id for there in freed.values()]).delete()
            self._write(renames, freed)
        return words

    @staticmethod
    def _is_free(there: LockedLearner, learner: LockedLearner, vacant: Collection[int]) -> bool:
        """Return whether the new ID is free, or a former one of the same learner."""
        return there.id in vacant or there.honored_for_id == learner.id

    def _write(self, renames: Sequence[_Rename], freed: Mapping[str, LockedLearner]) -> None:
        moved = [rename for rename in renames if not rename.is_respelling]
        # Evidence for the new ID from before this moment was for somebody else, if it was for anybody.
        since = timezone.now()
        update_rows(
            Learner,
            fields=("student_key", "student_key_normalized", "key_since", "modified"),
            rows=[
                (rename.learner.id, rename.given, rename.normalized, _held_since(rename, freed, since), self.now)
                for rename in renames
            ],
        )
        self._give_up([rename.learner for rename in moved], since=since)
        give_identities(
            slug=self.provider.slug,
            given={
                rename.learner.user_id: (rename.given, None if rename.is_respelling else since)
                for rename in renames
                if rename.learner.user_id is not None and rename.learner.link_how in TRUSTED_LINKS
            },
        )
        changes = [
            Change(
                None,
                rename.learner.id,
                rename.given,
                ChangeKind.STUDENT_KEY.value,
                before=rename.learner.student_key,
                after=rename.given,
            )
            for rename in renames
        ]
        record_changes(changes=changes, origin=self.origin, now=self.now)

    def _give_up(self, learners: Sequence[LockedLearner], *, since: datetime) -> None:
        """Free the former IDs, or honor them for a while."""
        former = [
            FormerKey(learner.id, learner.student_key, learner.student_key_normalized, self.honor_old_until)
            for learner in learners
            if learner.student_key_normalized and not is_pseudonym(learner.student_key_normalized)
        ]
        vacate_keys(school_id=self.provider.school_id, former=former, now=since)
        if self.honor_old_until is None:
            take_identities(
                school_id=self.provider.school_id,
                taken={
                    learner.user_id: {learner.student_key_normalized}
                    for learner in learners
                    if learner.user_id is not None and learner.student_key_normalized
                },
            )
