"""Changes in words: what the ledger's entries say to support staff.

Entries keep machine words, such as `sso:42`. Words of former versions of the app stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from program_enrollments.data import ChangeKind, CourseStatus, LearnerProblem, LinkHow, ProgramStatus

ACCOUNT = re.compile(r"(?P<how>[a-z]+):(?P<user_id>[0-9]{1,18})")
ACCOUNT_KINDS = frozenset({ChangeKind.LINK.value, ChangeKind.CONFLICT.value})
WORDS: dict[str, type[TextChoices]] = {
    ChangeKind.PROGRAM_ENROLLMENT.value: ProgramStatus,
    ChangeKind.COURSE_ENROLLMENT.value: CourseStatus,
    ChangeKind.CONFLICT_SETTLED.value: LearnerProblem,
}


class WordedChange(NamedTuple):
    """A change as people read it. A missing value is empty."""

    what: str
    before: str
    after: str


def word_change(*, kind: str, before: str | None, after: str | None, names: Mapping[int, str]) -> WordedChange:
    """Return a change in words. `names` are the usernames of accounts, see `find_named_accounts`."""
    return WordedChange(
        _word_kind(kind, before, after), *(_word_value(kind, value, names) for value in (before, after))
    )


def find_named_accounts(values: Iterable[str | None]) -> set[int]:
    """Return the accounts that these values of entries name."""
    matches = (ACCOUNT.fullmatch(value) for value in values if value)
    return {int(match["user_id"]) for match in matches if match is not None}


def _word_kind(kind: str, before: str | None, after: str | None) -> str:
    if kind == ChangeKind.LINK:
        if not after:
            return _("unlinked from the account")
        return _("link confirmed by stronger evidence") if before else _("linked to an account")
    return str(ChangeKind(kind).label) if kind in ChangeKind.values else kind


def _word_value(kind: str, value: str | None, names: Mapping[int, str]) -> str:
    if not value:
        return ""
    if kind in ACCOUNT_KINDS:
        return _word_account(value, names)
    words = WORDS.get(kind)
    if words is not None and value in words.values:
        return str(words(value).label)
    if kind == ChangeKind.COURSE_STAFF and value in {"true", "false"}:
        return _("yes") if value == "true" else _("no")
    if kind == ChangeKind.MERGE:
        return f"#{value}"
    return {"real": _("real"), "preemptive": _("waiting for an account")}.get(value, value)


def _word_account(value: str, names: Mapping[int, str]) -> str:
    match = ACCOUNT.fullmatch(value)
    if match is None:
        return str(LinkHow(value).label) if value in LinkHow.values else value
    how, user_id = match["how"], int(match["user_id"])
    name = names.get(user_id, "")
    account = f"{name} (#{user_id})" if name else f"#{user_id}"
    evidence = LinkHow(how).label if how in LinkHow.values else how
    return _("%(account)s, by %(evidence)s") % {"account": account, "evidence": evidence}
