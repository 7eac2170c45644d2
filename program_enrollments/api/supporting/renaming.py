"""Renaming: a university gives its students other IDs, as when it moves to another identity provider (docs/sso.rst)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from social_django.models import UserSocialAuth

from program_enrollments.api.identifying.checking_identities import check_identity
from program_enrollments.api.identifying.locking_learners import LockedLearner, find_learner_ids, lock_learners
from program_enrollments.api.recording import record_changes
from program_enrollments.api.transacting import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import Change, ChangeKind, LinkHow, Origin
from program_enrollments.models import IdentityProvider, Learner
from program_enrollments.models.bulk import update_rows

TRUSTED_LINKS = frozenset({LinkHow.SSO.value, LinkHow.STAFF.value})
"""Links by which an account may get the identity under the new ID without its owner's doing anything."""


class Renaming(NamedTuple):
    """One student's ID, and the one that takes its place."""

    old: str
    new: str


class Renamed(TextChoices):
    """What became of a renaming."""

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
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[Renamed]:
    """Give learners of the provider's school other student IDs; return what became of each renaming, in their order.

    `provider` is the one that asserts the new IDs: accounts linked by single sign-on or by staff get the identity under
    it, so that their owners sign on to them as before. Those linked otherwise are offered their account at the first
    sign-on (ADR 0008). A transaction for each chunk; doing it again changes nothing more.
    """
    moment = now or timezone.now()
    words = [Renamed.INVALID] * len(renamings)
    usable = _usable(renamings)
    size = get_setting("CHUNK_SIZE")
    for start in range(0, len(usable), size):
        chunk = usable[start : start + size]

        def work(chunk: Sequence[tuple[int, str, str, str]] = chunk) -> dict[int, Renamed]:
            return _rename_chunk(provider=provider, chunk=chunk, origin=origin, dry_run=dry_run, now=moment)

        for number, word in in_transaction(work).items():
            words[number] = word
    return words


def _usable(renamings: Sequence[Renaming]) -> list[tuple[int, str, str, str]]:
    """Return number, old ID (normalized), new ID as given and normalized of the renamings that can be understood."""
    checked = []
    times: dict[str, int] = {}
    for number, renaming in enumerate(renamings):
        old = check_identity(student_key=renaming.old, email="", domains=())
        new = check_identity(student_key=renaming.new, email="", domains=())
        if old.valid and new.valid:
            checked.append((number, old.student_key_normalized, new.student_key, new.student_key_normalized))
            for key in {old.student_key_normalized, new.student_key_normalized}:
                times[key] = times.get(key, 0) + 1
    return [row for row in checked if times[row[1]] == 1 and times[row[3]] == 1]


def _rename_chunk(
    *,
    provider: IdentityProvider,
    chunk: Sequence[tuple[int, str, str, str]],
    origin: Origin,
    dry_run: bool,
    now: datetime,
) -> dict[int, Renamed]:
    keys = {key for _number, old, _given, new in chunk for key in (old, new)}
    ids = find_learner_ids(school_id=provider.school_id, student_keys=keys, emails=())
    learners = {learner.student_key_normalized: learner for learner in lock_learners(ids=ids)}
    words: dict[int, Renamed] = {}
    renamed: list[tuple[LockedLearner, str, str]] = []
    for number, old, given, new in chunk:
        learner = learners.get(old)
        if learner is None:
            words[number] = Renamed.UNCHANGED if new in learners else Renamed.UNKNOWN
        elif old != new and new in learners:
            words[number] = Renamed.TAKEN
        elif learner.student_key == given:
            words[number] = Renamed.UNCHANGED
        else:
            words[number] = Renamed.RENAMED
            renamed.append((learner, given, new))
    if not dry_run:
        _write(provider=provider, renamed=renamed, origin=origin, now=now)
    return words


def _write(
    *, provider: IdentityProvider, renamed: Sequence[tuple[LockedLearner, str, str]], origin: Origin, now: datetime
) -> None:
    update_rows(
        Learner,
        fields=("student_key", "student_key_normalized", "modified"),
        rows=[(learner.id, given, new, now) for learner, given, new in renamed],
    )
    UserSocialAuth.objects.bulk_create(
        [
            UserSocialAuth(user_id=learner.user_id, provider=_backend(), uid=f"{provider.slug}:{given}")
            for learner, given, _new in renamed
            if learner.user_id is not None and learner.link_how in TRUSTED_LINKS
        ],
        ignore_conflicts=True,
    )
    changes = [
        Change(None, learner.id, given, ChangeKind.STUDENT_KEY.value, before=learner.student_key, after=given)
        for learner, given, _new in renamed
    ]
    record_changes(changes=changes, origin=origin, now=now)


def _backend() -> str:
    """Return the name of the social-auth backend through which universities sign people on."""
    return str(get_setting("SAML_BACKENDS")[0])
