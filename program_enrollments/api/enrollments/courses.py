"""Enrolling in course runs: plan, tell the host, then write what the host accepted.

Each chunk is one short transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.chunks import prepare_rows, write_in_chunks
from program_enrollments.api.enrollments.course_plan import (
    CoursePlan,
    StoredCourseEnrollment,
    is_unchanged,
    plan_course_enrollments,
    wanted_staff,
)
from program_enrollments.api.enrollments.explanations import explain
from program_enrollments.api.enrollments.join import complete_and_make, recheck_emails_after_commit
from program_enrollments.api.enrollments.programs import fetch_enrolled
from program_enrollments.api.enrollments.stored_courses import fetch_stored, find_active_elsewhere
from program_enrollments.api.learners.account_locks import HeldAccounts, hold_accounts
from program_enrollments.api.learners.creation import foresee_claims
from program_enrollments.api.learners.identity import Identity
from program_enrollments.api.learners.identity_changes import note_in_question, review_identity_changes
from program_enrollments.api.learners.locks import (
    Identified,
    LockedLearner,
    as_seen,
    find_siblings,
    identify,
    lock_named,
    locks_rows,
    read_learners,
    recognize,
)
from program_enrollments.api.ledger import record_changes
from program_enrollments.api.realizing.promises import keep_failures
from program_enrollments.api.realizing.seats import (
    SeatWish,
    agree_on_seats_and_roles,
    find_agreeing,
    find_heirs,
    find_learners_at_other_schools,
    find_occupied_elsewhere,
    hand_over_roles,
)
from program_enrollments.api.transactions import CrossedByAnother
from program_enrollments.data import (
    Change,
    ChangeKind,
    CourseEnrollmentRequest,
    CourseStatus,
    HostFailure,
    Origin,
    RowOutcome,
    Verb,
    Word,
)
from program_enrollments.host.ports import UserCourse
from program_enrollments.models import CourseRun, PreemptiveCourseEnrollment, Program, ProgramCourseEnrollment
from program_enrollments.sql.bulk import insert_rows

FIELDS = ("learner", "program", "course_run", "status", "course_staff", "created", "modified")
PREEMPTIVE_FIELDS = (*FIELDS, "problem_code", "problem_detail", "tries", "refusals")
REAL_FIELDS = (*FIELDS, "course_staff_given")


def write_course_enrollments(
    *,
    program: Program,
    course_run: CourseRun,
    rows: Sequence[CourseEnrollmentRequest],
    verb: Verb,
    origin: Origin,
    identity_reach: Callable[[], Reach] | None = None,
    allow_pseudonyms: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Create and update enrollments in a course run, and return one outcome per row.

    The outcomes are in the order of the rows.

    Of learners with an account the host is told, also where nothing of ours changes: that repairs a host that drifted.
    What the host does not accept is `internal-error`, and not stored. `identity_reach` and `allow_pseudonyms` as in
    `write_program_enrollments`. Raises TooManyRows. The number of statements
    depends on the number of chunks, not on that of rows, on a host that can enroll in bulk. (docs/api.rst)
    """
    prepared = prepare_rows(
        school_id=program.school_id, rows=rows, allow_pseudonyms=allow_pseudonyms, now=now or timezone.now()
    )
    outcomes = {number: RowOutcome(rows[number].key, Word.DUPLICATED.value, False) for number in prepared.duplicates}
    numbers = [number for number in range(len(rows)) if number not in outcomes]
    if numbers:
        write = CourseWrite(
            program=program,
            course_run=course_run,
            rows=rows,
            identities=prepared.identities,
            verb=verb,
            origin=origin,
            identity_reach=identity_reach,
            now=now or timezone.now(),
        )
        outcomes.update(write_in_chunks(rows=rows, numbers=numbers, write=write.write_chunk, dry_run=dry_run))
    return [explain(row=row, outcome=outcomes[number], domains=prepared.domains) for number, row in enumerate(rows)]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the host answered: failures by user and run, and the roles that it granted.

    The staff role of the users named is this app's to take back.
    """

    failures: dict[UserCourse, HostFailure]
    given: set[UserCourse]


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseWrite:
    """One call of `write_course_enrollments`, ready to be carried out chunk by chunk."""

    program: Program
    course_run: CourseRun
    rows: Sequence[CourseEnrollmentRequest]
    identities: Sequence[Identity]
    verb: Verb
    origin: Origin
    identity_reach: Callable[[], Reach] | None
    now: datetime

    def write_chunk(self, numbers: Sequence[int]) -> dict[int, RowOutcome]:
        """Write the rows `numbers` in the current transaction; see `chunks.ChunkWriter`.

        A first look answers the rows that ask for what is so already, at the host too: they lock nobody, and write
        nothing (ADR 0007).
        """
        learners = read_learners(
            school_id=self.program.school_id, identities=[self.identities[number] for number in numbers]
        )
        seen = fetch_stored(course_run_id=self.course_run.pk, learners=learners)
        outcomes = self._find_unchanged(numbers, learners, seen)
        others = [number for number in numbers if number not in outcomes]
        return outcomes | self._change_rows(others, learners, seen) if others else outcomes

    def _find_unchanged(
        self, numbers: Sequence[int], learners: Sequence[LockedLearner], everywhere: Sequence[StoredCourseEnrollment]
    ) -> dict[int, RowOutcome]:
        program_id, course_id = self.program.pk, self.course_run.course_id
        named = recognize(learners=learners, identities=[self.identities[number] for number in numbers])
        stored = {row.learner_id: row for row in everywhere if row.program_id == program_id}
        elsewhere = find_active_elsewhere(everywhere, program_id)
        unchanged = {
            number: learner
            for number, learner in zip(numbers, named, strict=True)
            if learner is not None
            and is_unchanged(row=self.rows[number], stored=stored.get(learner.id), linked=learner.user_id is not None)
        }
        if not unchanged or self.verb == Verb.CREATE:
            return {}
        in_program = fetch_enrolled(program_id=program_id, learners=unchanged.values())
        wishes = {
            number: SeatWish(learner.user_id, course_id, self.rows[number].status == CourseStatus.ACTIVE)
            for number, learner in unchanged.items()
            if learner.user_id is not None
        }
        agreeing = find_agreeing(wishes=list(wishes.values()))
        return {
            number: RowOutcome(row.key, row.status, True, row.status)
            for number, learner in unchanged.items()
            if learner.id in in_program
            and ((row := self.rows[number]).status != CourseStatus.ACTIVE or learner.id not in elsewhere)
            and (number not in wishes or wishes[number].pair in agreeing)
        }

    def _change_rows(
        self, numbers: Sequence[int], learners: Sequence[LockedLearner], seen: Sequence[StoredCourseEnrollment]
    ) -> dict[int, RowOutcome]:
        rows = [self.rows[number] for number in numbers]
        identities = [self.identities[number] for number in numbers]
        claims, owners = foresee_claims(school_id=self.program.school_id, learners=learners, identities=identities)
        held, siblings = self._hold(rows, learners)
        locked = lock_named(learners=learners, identities=identities, also={*owners, *siblings})
        identified = identify(learners=locked, identities=identities)
        held.require(learner.user_id for learner in locked)
        unchanged = as_seen(identified=identified, learners=learners)
        in_question = review_identity_changes(identified=identified, reach=self.identity_reach)
        everywhere = fetch_stored(course_run_id=self.course_run.pk, learners=locked) if locks_rows() else seen
        plan, stored = self._plan(rows, identities, identified, everywhere)
        changes, moved = complete_and_make(
            school_id=self.program.school_id,
            identified=identified,
            good=plan.good,
            identities=identities,
            claims={number: claim for number, claim in claims.items() if number in unchanged},
            now=self.now,
        )
        if moved:
            everywhere = fetch_stored(course_run_id=self.course_run.pk, learners=identified.learners)
            plan, stored = self._plan(rows, identities, identified, everywhere)
        accepted = self._tell_host(rows, identified, plan, everywhere, siblings)
        self._refuse_failed(identified, plan, accepted)
        changes += self._apply(rows, identified, plan, accepted)
        if in_question:
            note_in_question(in_question=in_question, learners=locked, now=self.now)
        record_changes(changes=changes, origin=self.origin, now=self.now)
        recheck_emails_after_commit(school_id=self.program.school_id, identified=identified, identities=identities)
        outcomes = {}
        touched = {change.learner_id for change in changes}
        for number, row in enumerate(rows):
            learner, word = identified.learners[number], plan.words.get(number)
            before = stored[learner.id].status if learner is not None and learner.id in stored else None
            detail = identified.details.get(number, "")
            outcomes[numbers[number]] = RowOutcome(
                row.key,
                word or row.status,
                word is None,
                before,
                detail,
                word is None and learner is not None and learner.id in touched,
            )
        return outcomes

    def _plan(
        self,
        rows: Sequence[CourseEnrollmentRequest],
        identities: Sequence[Identity],
        identified: Identified,
        everywhere: Sequence[StoredCourseEnrollment],
    ) -> tuple[CoursePlan, dict[int, StoredCourseEnrollment]]:
        program_id = self.program.pk
        stored = {row.learner_id: row for row in everywhere if row.program_id == program_id}
        plan = plan_course_enrollments(
            rows=rows,
            identities=identities,
            learner_ids=[learner.id if learner else None for learner in identified.learners],
            invalid=identified.invalid,
            in_program=fetch_enrolled(program_id=program_id, learners=identified.learners),
            stored=stored,
            occupied_elsewhere=find_active_elsewhere(everywhere, program_id),
            verb=self.verb,
        )
        return plan, stored

    def _tell_host(
        self,
        rows: Sequence[CourseEnrollmentRequest],
        identified: Identified,
        plan: CoursePlan,
        everywhere: Sequence[StoredCourseEnrollment],
        siblings: Collection[int],
    ) -> Accepted:
        """Make the host agree with the good rows of learners who have an account."""
        run_id, course_id = self.course_run.pk, self.course_run.course_id
        users = {number: user_id for number in plan.good if (user_id := identified.learner(number).user_id) is not None}
        ours = [stored.id for number in users if (stored := plan.good[number]) is not None and stored.real]
        leaving = {
            user_id: identified.learner(number).id
            for number, user_id in users.items()
            if rows[number].status == CourseStatus.INACTIVE
        }
        occupied = self._find_occupied(leaving, everywhere, ours, siblings) if leaving else set()
        wishes = [
            SeatWish(user_id, course_id, rows[number].status == CourseStatus.ACTIVE)
            for number, user_id in users.items()
            if rows[number].status == CourseStatus.ACTIVE or (user_id, run_id) not in occupied
        ]
        grants, revokes, given = set(), set(), set()
        for number, user_id in users.items():
            stored, pair = plan.good[number], (user_id, course_id)
            ours_now = stored is not None and stored.staff_given
            if ours_now:
                given.add(pair)
            if wanted_staff(row=rows[number], stored=stored):
                # Asked for again it is granted again: the host may have drifted.
                if rows[number].course_staff or not (stored is not None and stored.real):
                    grants.add(pair)
            elif ours_now:
                revokes.add(pair)
        heirs = find_heirs(revokes=revokes, except_ids=ours)
        granted, failures = agree_on_seats_and_roles(wishes=wishes, grants=grants, revokes=revokes - heirs.keys())
        hand_over_roles(heirs={pk for pair, pk in heirs.items() if pair not in failures})
        return Accepted(failures, (given | granted) - revokes)

    def _hold(
        self, rows: Sequence[CourseEnrollmentRequest], learners: Sequence[LockedLearner]
    ) -> tuple[HeldAccounts, Collection[int]]:
        """Keep accounts that may get seats from being deleted, and return the learners to lock.

        The latter include those who may lose a seat: the same accounts at other schools.
        """
        users = {learner.user_id for learner in learners if learner.user_id is not None}
        leaves = any(row.status == CourseStatus.INACTIVE for row in rows)
        return hold_accounts(user_ids=users), find_siblings(user_ids=users) if leaves else ()

    def _find_occupied(
        self,
        leaving: Mapping[int, int],
        everywhere: Sequence[StoredCourseEnrollment],
        ours: Sequence[int],
        siblings: Collection[int],
    ) -> set[tuple[int, int]]:
        """Return, of the seats about to be left, those that somebody else holds too.

        A seat is a user ID and a course run's primary key. `leaving` maps user IDs to learners.

        Hardly anybody is in another program or at another school. Only for these it is asked what they are there.
        """
        in_others = {row.learner_id for row in everywhere if row.program_id != self.program.pk}
        at_other_schools = find_learners_at_other_schools(learners=leaving)
        if not at_other_schools.keys() <= set(siblings):
            # Linked at another school since the look: its writes must not be missed.
            raise CrossedByAnother
        candidates = set(at_other_schools.values())
        candidates |= {user_id for user_id, learner_id in leaving.items() if learner_id in in_others}
        return find_occupied_elsewhere(user_ids=candidates, course_run_ids=[self.course_run.pk], except_ids=ours)

    def _refuse_failed(self, identified: Identified, plan: CoursePlan, accepted: Accepted) -> None:
        """Refuse the rows that the host did not accept; a promise that was refused before keeps count."""
        if not accepted.failures:
            return
        again: dict[int, HostFailure] = {}
        for number, stored in list(plan.good.items()):
            user_id = identified.learner(number).user_id
            failure = None if user_id is None else accepted.failures.get((user_id, self.course_run.course_id))
            if failure is None:
                continue
            if stored is not None and not stored.real:
                again[stored.id] = failure
            plan.refuse(number, Word.INTERNAL_ERROR.value)
        keep_failures(failures=again, now=self.now)

    def _apply(
        self,
        rows: Sequence[CourseEnrollmentRequest],
        identified: Identified,
        plan: CoursePlan,
        accepted: Accepted,
    ) -> list[Change]:
        program_id, run_id, course_id = self.program.pk, self.course_run.pk, self.course_run.course_id

        def record(learner: LockedLearner, kind: str, before: str | None, after: str) -> None:
            changes.append(Change(program_id, learner.id, learner.display_key, kind, before, after, run_id))

        changes: list[Change] = []
        promises: list[tuple[object, ...]] = []
        seats: list[tuple[object, ...]] = []
        kept_promises: list[int] = []
        updates: dict[tuple[bool, str, bool, bool], list[int]] = defaultdict(list)
        for number, stored in plan.good.items():
            learner, status = identified.learner(number), rows[number].status
            staff = wanted_staff(row=rows[number], stored=stored)
            real = learner.user_id is not None
            given = staff and (learner.user_id, course_id) in accepted.given
            if stored is None or (real and not stored.real):
                head = (learner.id, program_id, run_id, status, staff, self.now, self.now)
                if real:
                    seats.append((*head, given))
                else:
                    promises.append((*head, "", "", 0, 0))
                if stored is not None:
                    kept_promises.append(stored.id)
                    record(learner, ChangeKind.COURSE_REALIZED, "preemptive", "real")
            elif (stored.status, stored.course_staff, stored.staff_given) != (status, staff, given):
                updates[(real, status, staff, given)].append(stored.id)
            if stored is None or stored.status != status:
                before = None if stored is None else stored.status
                record(learner, ChangeKind.COURSE_ENROLLMENT, before, status)
            if staff != (stored is not None and stored.course_staff):
                record(learner, ChangeKind.COURSE_STAFF, _word(not staff), _word(staff))
        PreemptiveCourseEnrollment.objects.filter(pk__among=kept_promises).delete()
        insert_rows(ProgramCourseEnrollment, fields=REAL_FIELDS, rows=seats)
        insert_rows(PreemptiveCourseEnrollment, fields=PREEMPTIVE_FIELDS, rows=promises)
        self._update(updates)
        return changes

    def _update(self, updates: Mapping[tuple[bool, str, bool, bool], Collection[int]]) -> None:
        for (real, status, staff, given), ids in updates.items():
            if real:
                ProgramCourseEnrollment.objects.filter(pk__among=set(ids)).update(
                    status=status, course_staff=staff, course_staff_given=given, modified=self.now
                )
            else:
                PreemptiveCourseEnrollment.objects.filter(pk__among=set(ids)).update(
                    status=status, course_staff=staff, modified=self.now
                )


def _word(value: bool) -> str:
    return "true" if value else "false"
