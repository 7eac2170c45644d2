"""Identities: student IDs and addresses are put back as they were before the undone job.

A link stays, and so does the evidence that it stands on. An ID or address that is somebody else's by now stays theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import IntegrityError
from django.utils.translation import gettext as _

from program_enrollments.api.access import Reach
from program_enrollments.api.jobs.undo.rows import UndoRow
from program_enrollments.api.jobs.undo.trace import Step
from program_enrollments.api.learners.identity_changes import find_outside
from program_enrollments.api.learners.locks import LockedLearner
from program_enrollments.api.learners.student_keys import FormerKey, find_vacant, vacate_keys
from program_enrollments.api.realizing.after_sign_in import realize_by_emails
from program_enrollments.api.transactions import CrossedByAnother, after_commit
from program_enrollments.data import Change, ChangeKind, LinkHow
from program_enrollments.models import Learner, PreemptiveCourseEnrollment, PreemptiveProgramEnrollment
from program_enrollments.normalization import normalize_identity
from program_enrollments.sql.bulk import update_rows


@dataclass(eq=False)
class _Return:
    """What a learner gets back. A step is None if it was not taken, or is not taken back."""

    row: UndoRow
    email: Step | None
    student_id: Step | None
    after: LockedLearner = field(init=False)
    absorbed: LockedLearner | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.after = self.row.learner

    @property
    def wanted_email(self) -> str:
        """The address that comes back, normalized."""
        return normalize_identity(self.email.before or "") if self.email is not None else ""

    def keep_email(self, reason: str) -> None:
        """Leave the address as it is."""
        self.email = None
        self.row.keep_identity(reason)

    def keep_student_id(self, reason: str) -> None:
        """Leave the student ID as it is."""
        self.student_id = None
        self.row.keep_identity(reason)


class Holders(NamedTuple):
    """The school's learners who have what somebody is to get back, locked.

    By address and by student ID, both normalized.
    """

    by_email: Mapping[str, LockedLearner]
    by_student_key: Mapping[str, LockedLearner]

    @classmethod
    def among(cls, learners: Iterable[LockedLearner]) -> Holders:
        """Return the holders among these learners."""
        learners = list(learners)
        return cls(
            {learner.email_normalized: learner for learner in learners if learner.email_normalized},
            {learner.student_key_normalized: learner for learner in learners if learner.student_key_normalized},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityReturn:
    """Puts the identities of one chunk's learners back. The learners are locked, and so are the holders."""

    school_id: int
    reach: Callable[[], Reach]
    holders: Holders
    now: datetime

    def put_back(self, rows: Sequence[UndoRow]) -> list[Change]:
        """Put back the identities that the rows without a course run speak of; return the ledger's entries.

        Comes after the enrollments: a learner whom the undone job made gives up the address if nothing else is left.
        The number of statements is constant; there are none if no identity was changed.
        """
        made = self._find_made([row for row in rows if row.is_gone])
        returns = [
            _Return(row, row.trace.email or made.get(row), row.trace.student_id)
            for row in rows
            if row.trace.email is not None or row.trace.student_id is not None or row in made
        ]
        if not returns:
            return []
        wanted = [each for each in returns if self._still_differs(each)]
        wanted = self._leave_out_ungranted(wanted)
        for each in wanted:
            self._check_email(each)
            self._check_student_id(each)
        self._settle_holders(wanted)
        wanted = [each for each in wanted if each.email is not None or each.student_id is not None]
        for each in wanted:
            each.row.changed = True
            if each.row.place is None and each.row.before is not None:
                each.row.word, each.row.refused = each.row.before, False
        return self._write(wanted)

    def _find_made(self, rows: Sequence[UndoRow]) -> dict[UndoRow, Step]:
        """Return the addresses that the undone job gave to learners whom it made, and who have nothing left.

        Making a learner is not in the ledger; the moment at which the enrollment was written is that of the learner's.
        """
        candidates = {
            row.learner.id: row
            for row in rows
            if row.learner.user_id is None
            and row.learner.student_key_normalized
            and row.learner.email_normalized
            and row.trace.email is None
        }
        if not candidates:
            return {}
        created = dict(Learner.objects.filter(pk__among=candidates.keys()).values_list("pk", "created"))
        has_more: set[int] = set()
        for model in (PreemptiveProgramEnrollment, PreemptiveCourseEnrollment):
            found = model._default_manager.filter(learner_id__among=candidates.keys())
            has_more.update(found.order_by().values_list("learner_id", flat=True))
        return {
            row: Step(None, row.learner.email)
            for pk, row in candidates.items()
            if row.place is not None and created.get(pk) == row.place.at and pk not in has_more
        }

    @staticmethod
    def _still_differs(each: _Return) -> bool:
        """Drop the steps that were taken back already; return whether any is left."""
        learner = each.row.learner
        if each.email is not None and each.wanted_email == (learner.email_normalized or ""):
            each.email = None
        if each.student_id is not None:
            before = normalize_identity(each.student_id.before or "")
            if before == (learner.student_key_normalized or ""):
                each.student_id = None
        return each.email is not None or each.student_id is not None

    def _leave_out_ungranted(self, wanted: Sequence[_Return]) -> list[_Return]:
        part = self.reach() if wanted else Reach(is_school_wide=True)
        if part.is_school_wide:
            return list(wanted)
        outside = find_outside({each.row.learner.id for each in wanted}, part.program_ids)
        for each in wanted:
            if each.row.learner.id in outside:
                each.row.add_detail(
                    _(
                        "The identity was not put back: the learner is also in a program on which you may not write "
                        "enrollments."
                    )
                )
        return [each for each in wanted if each.row.learner.id not in outside]

    @staticmethod
    def _check_email(each: _Return) -> None:
        learner, step = each.row.learner, each.email
        if step is None:
            return
        is_changed = each.row.trace.is_identity_changed_since(ChangeKind.EMAIL.value)
        if is_changed or normalize_identity(step.after or "") != (learner.email_normalized or ""):
            each.keep_email(_("The e-mail address was changed since, and stays as it is."))
        elif learner.user_id is not None and learner.link_how == LinkHow.EMAIL:
            each.keep_email(_("The e-mail address stays: the learner was linked to an account by it."))
        elif not each.wanted_email and not learner.student_key_normalized:
            each.keep_email(_("The e-mail address stays: nothing else says who the learner is."))

    def _check_student_id(self, each: _Return) -> None:
        learner, step = each.row.learner, each.student_id
        if step is None:
            return
        is_changed = each.row.trace.is_identity_changed_since(ChangeKind.STUDENT_KEY.value)
        if is_changed or normalize_identity(step.after or "") != (learner.student_key_normalized or ""):
            each.keep_student_id(_("The student ID was changed since, and stays as it is."))
            return
        keeps_email = bool(each.wanted_email if each.email is not None else learner.email_normalized)
        if step.before is None and learner.user_id is not None and learner.link_how == LinkHow.SSO:
            each.keep_student_id(_("The student ID stays: the learner signed on with it."))
        elif step.before is None and not keeps_email:
            each.keep_student_id(_("The student ID stays: nothing else says who the learner is."))

    def _settle_holders(self, wanted: Sequence[_Return]) -> None:
        """Leave out who would get what somebody else has, and does not give up in this chunk."""
        by_learner = {each.row.learner.id: each for each in wanted}
        candidates = [
            holder
            for each in wanted
            if each.student_id is not None
            and (holder := self.holders.by_student_key.get(normalize_identity(each.student_id.before or "")))
        ]
        vacant = find_vacant(learners=candidates) if candidates else set()
        for each in wanted:
            if each.student_id is None or each.student_id.before is None:
                continue
            holder = self.holders.by_student_key.get(normalize_identity(each.student_id.before))
            if holder is not None and holder.id in vacant:
                each.absorbed = holder
            elif holder is not None:
                each.keep_student_id(_("The student ID is another learner's by now, and stays theirs."))
        while True:
            refused = [each for each in wanted if self._is_held(each, by_learner)]
            for each in refused:
                each.keep_email(_("The former e-mail address is another learner's by now, and stays theirs."))
            if not refused:
                return

    def _is_held(self, each: _Return, by_learner: Mapping[int, _Return]) -> bool:
        holder = self.holders.by_email.get(each.wanted_email) if each.wanted_email else None
        if holder is None or holder.id == each.row.learner.id:
            return False
        giver = by_learner.get(holder.id)
        return giver is None or giver.email is None

    def _write(self, wanted: Sequence[_Return]) -> list[Change]:
        changes = []
        former: list[tuple[FormerKey, datetime]] = []
        for each in wanted:
            learner = each.row.learner
            if each.student_id is not None:
                given = each.student_id.before or ""
                since = each.absorbed.key_since if each.absorbed is not None else None
                if learner.key_since is not None and learner.student_key_normalized:
                    key = FormerKey(learner.id, learner.student_key, learner.student_key_normalized)
                    former.append((key, learner.key_since))
                each.after = each.after._replace(
                    student_key=given, student_key_normalized=normalize_identity(given) or None, key_since=since
                )
            if each.email is not None:
                given = each.email.before or ""
                each.after = each.after._replace(email=given, email_normalized=normalize_identity(given) or None)
            for kind, step, before, after in (
                (ChangeKind.STUDENT_KEY, each.student_id, learner.student_key, each.after.student_key),
                (ChangeKind.EMAIL, each.email, learner.email, each.after.email),
            ):
                if step is not None:
                    key_shown = each.after.display_key
                    changes.append(Change(None, learner.id, key_shown, kind, before or None, after or None))
        try:
            self._store(wanted, former)
        except IntegrityError as error:
            # Another writer has just given the ID or the address to somebody.
            raise CrossedByAnother from error
        emails = {
            each.after.email_normalized
            for each in wanted
            if each.email is not None and each.after.email_normalized and each.after.user_id is None
        }
        if emails:
            after_commit(partial(realize_by_emails, school_id=self.school_id, emails=emails))
        return changes

    def _store(self, wanted: Sequence[_Return], former: Sequence[tuple[FormerKey, datetime]]) -> None:
        absorbed = [each.absorbed.id for each in wanted if each.absorbed is not None]
        if absorbed:
            Learner.objects.filter(pk__in=absorbed).delete()
        # Databases compare row by row: an address must be given up before somebody else can get it. One without any
        # other identity gets its own in the same statement.
        givers = [
            (each.row.learner.id, "", None)
            for each in wanted
            if each.email is not None and each.row.learner.student_key_normalized
        ]
        if len(givers) > 1:
            update_rows(Learner, fields=("email", "email_normalized"), rows=givers)
        update_rows(
            Learner,
            fields=("student_key", "student_key_normalized", "email", "email_normalized", "key_since", "modified"),
            rows=[(*each.after[:5], each.after.key_since, self.now) for each in wanted],
        )
        for key, since in former:
            vacate_keys(school_id=self.school_id, former=[key], now=since)
