"""Course enrollments: their writes. The host is told first, then what it accepted is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils import timezone

from program_enrollments.api.access import Reach
from program_enrollments.api.enrollments.calls import prepare_call, write_call
from program_enrollments.api.enrollments.course_plan import decide, is_unchanged, pair_of, plan_seats, wanted_staff
from program_enrollments.api.enrollments.pipeline import EnrollmentWrite, Held
from program_enrollments.api.enrollments.programs import fetch_enrolled
from program_enrollments.api.enrollments.rows import CourseRow
from program_enrollments.api.enrollments.stored_courses import fetch_stored
from program_enrollments.api.kept_answers import RequestProgress
from program_enrollments.api.learners.account_locks import hold_accounts
from program_enrollments.api.learners.locks import LockedLearner, find_siblings
from program_enrollments.api.realizing.promises import keep_failures
from program_enrollments.api.realizing.seats import (
    agree_on_seats_and_roles,
    find_agreeing,
    find_heirs,
    find_learners_at_other_schools,
    find_occupied_elsewhere,
    hand_over_roles,
)
from program_enrollments.api.seat_rules import SeatWish
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
    progress: RequestProgress | None = None,
    now: datetime | None = None,
) -> list[RowOutcome]:
    """Create and update enrollments in a course run, and return one outcome per row.

    The outcomes are in the order of the rows.

    The host is told of learners with an account, also where nothing of ours changes: that repairs a host that drifted.
    What the host does not accept is `internal-error`, and not stored. The other parameters are those of
    `write_program_enrollments`. Raises TooManyRows and WriteInterrupted. The number of statements depends on the number
    of chunks, not on that of rows, on a host that can enroll in bulk. (docs/api.rst)
    """
    moment = now or timezone.now()
    call = prepare_call(
        school_id=program.school_id,
        requests=rows,
        make_row=partial(CourseRow, run_id=course_run.pk, course_id=course_run.course_id),
        allow_pseudonyms=allow_pseudonyms,
        progress=progress,
        now=moment,
    )
    write = CourseWrite(program=program, verb=verb, origin=origin, identity_reach=identity_reach, now=moment)
    return write_call(write=write, call=call, dry_run=dry_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseWrite(EnrollmentWrite[CourseRow]):
    """What one call or file writes to course enrollments of a program.

    Rows of a chunk may name several runs.
    """

    @property
    def creates_learners(self) -> bool:
        """Nobody gets into a course run who is not in the program."""
        return False

    def read_stored(self, rows: Sequence[CourseRow]) -> None:
        """Set what is stored of the rows' learners in their runs, through this program and others."""
        stored = fetch_stored(
            course_run_ids={row.run_id for row in rows}, learners=[row.person.learner for row in rows]
        )
        here = {}
        elsewhere: dict[tuple[int, int], bool] = {}
        for each in stored:
            place = (each.learner_id, each.course_run_id)
            if each.program_id == self.program.pk:
                here[place] = each
            else:
                elsewhere[place] = elsewhere.get(place, False) or each.status == CourseStatus.ACTIVE
        for row in rows:
            learner = row.person.learner
            place = (0 if learner is None else learner.id, row.run_id)
            row.stored = here.get(place)
            # Hardly anybody is in a run through two programs.
            if elsewhere or row.is_elsewhere:
                row.is_elsewhere, row.is_active_elsewhere = place in elsewhere, elsewhere.get(place, False)

    def read_more(self, rows: Sequence[CourseRow]) -> None:
        """Set which rows' learners are in the program."""
        in_program = fetch_enrolled(program_id=self.program.pk, learners=[row.person.learner for row in rows])
        for row in rows:
            learner = row.person.learner
            row.in_program = learner is not None and learner.id in in_program

    def find_unchanged(self, rows: Sequence[CourseRow]) -> Collection[CourseRow]:
        """Return the rows that ask for what is so already, at the host too."""
        if self.verb == Verb.CREATE:
            return ()
        unchanged = [row for row in rows if row.person.is_valid and not row.person.adds and is_unchanged(row)]
        if not unchanged:
            return ()
        self.read_more(unchanged)
        good = [(row, pair_of(row)) for row in unchanged if not decide(row, verb=self.verb)]
        agreeing = find_agreeing(
            wishes=[
                SeatWish(*pair, row.request.status == CourseStatus.ACTIVE) for row, pair in good if pair is not None
            ]
        )
        return [row for row, pair in good if pair is None or pair in agreeing]

    def hold(self, rows: Sequence[CourseRow]) -> Held:
        """Keep accounts that may get seats from being deleted, and find their learners at other schools.

        Those are locked as well if a row takes a seat away.
        """
        learners = [row.person.learner for row in rows]
        users = {learner.user_id for learner in learners if learner is not None and learner.user_id is not None}
        leaves = any(row.request.status == CourseStatus.INACTIVE for row in rows)
        return Held(hold_accounts(user_ids=users), find_siblings(user_ids=users) if leaves else ())

    def decide(self, row: CourseRow) -> str:
        """Return the word that refuses a row, or nothing."""
        return decide(row, verb=self.verb)

    def apply(self, rows: Sequence[CourseRow], held: Held) -> list[Change]:
        """Make the host agree with the good rows, then write those that it accepted."""
        given, failures = self._agree_with_host(rows, held)
        if failures:
            self._refuse_failed(rows, failures)
        return self._store([row for row in rows if not row.word], given)

    def _agree_with_host(
        self, rows: Sequence[CourseRow], held: Held
    ) -> tuple[set[UserCourse], dict[UserCourse, HostFailure]]:
        """Return the staff roles that are this app's to take back, and what the host did not do."""
        ours = [row.stored.id for row in rows if row.stored is not None and row.stored.real]
        plan = plan_seats(rows, occupied=self._find_occupied(rows, ours, held.siblings))
        heirs = find_heirs(revokes=plan.revokes, except_ids=ours)
        granted, failures = agree_on_seats_and_roles(
            wishes=plan.wishes, grants=plan.grants, revokes=plan.revokes - heirs.keys()
        )
        hand_over_roles(heirs={pk for pair, pk in heirs.items() if pair not in failures})
        return (plan.given | granted) - plan.revokes, failures

    def _find_occupied(
        self, rows: Sequence[CourseRow], ours: Collection[int], siblings: Collection[int]
    ) -> set[tuple[int, int]]:
        """Return, of the seats about to be left, those that another enrollment holds too.

        A seat is a user ID and a course run's primary key. Hardly anybody is in another program or at another school:
        only for these it is read what they are there.
        """
        leaving = {
            learner.user_id: row
            for row in rows
            if row.request.status == CourseStatus.INACTIVE and (learner := row.person.known).user_id is not None
        }
        if not leaving:
            return set()
        at_other_schools = find_learners_at_other_schools(
            learners={user_id: row.person.known.id for user_id, row in leaving.items()}
        )
        if not at_other_schools.keys() <= set(siblings):
            # Linked at another school since the look: its writes must not be missed.
            raise CrossedByAnother
        candidates = set(at_other_schools.values())
        candidates |= {
            learner.user_id
            for row in rows
            if row.is_elsewhere and (learner := row.person.known).user_id in leaving and learner.user_id is not None
        }
        return find_occupied_elsewhere(
            user_ids=candidates, course_run_ids={row.run_id for row in rows}, except_ids=ours
        )

    def _refuse_failed(self, rows: Sequence[CourseRow], failures: Mapping[UserCourse, HostFailure]) -> None:
        """Refuse the rows that the host did not accept; a promise that was refused before keeps count."""
        again: dict[int, HostFailure] = {}
        for row in rows:
            pair = pair_of(row)
            failure = None if pair is None else failures.get(pair)
            if failure is None:
                continue
            if row.stored is not None and not row.stored.real:
                again[row.stored.id] = failure
            row.word = Word.INTERNAL_ERROR.value
            row.detail = str(failure.detail)
        keep_failures(failures=again, now=self.now)

    def _store(self, rows: Sequence[CourseRow], given_pairs: Collection[UserCourse]) -> list[Change]:
        program_id = self.program.pk

        def record(learner: LockedLearner, kind: str, before: str | None, after: str, run_id: int) -> None:
            changes.append(Change(program_id, learner.id, learner.display_key, kind, before, after, run_id))

        changes: list[Change] = []
        promises: list[tuple[object, ...]] = []
        seats: list[tuple[object, ...]] = []
        kept_promises: list[int] = []
        updates: dict[tuple[bool, str, bool, bool], list[int]] = defaultdict(list)
        for row in rows:
            stored, learner, status, run_id = row.stored, row.person.known, row.request.status, row.run_id
            staff = wanted_staff(row)
            real = learner.user_id is not None
            given = staff and pair_of(row) in given_pairs
            if stored is None or (real and not stored.real):
                head = (learner.id, program_id, run_id, status, staff, self.now, self.now)
                if real:
                    seats.append((*head, given))
                else:
                    promises.append((*head, "", "", 0, 0))
                if stored is not None:
                    kept_promises.append(stored.id)
                    record(learner, ChangeKind.COURSE_REALIZED, "preemptive", "real", run_id)
            elif (stored.status, stored.course_staff, stored.staff_given) != (status, staff, given):
                updates[(real, status, staff, given)].append(stored.id)
            if stored is None or stored.status != status:
                before = None if stored is None else stored.status
                record(learner, ChangeKind.COURSE_ENROLLMENT, before, status, run_id)
            if staff != (stored is not None and stored.course_staff):
                record(learner, ChangeKind.COURSE_STAFF, _word(not staff), _word(staff), run_id)
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
