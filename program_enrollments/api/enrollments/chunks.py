"""Chunking: a call's rows in short transactions, with a failure kept to the row that fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError

from program_enrollments.api.learners.identity import (
    EnrollmentRequest,
    Identity,
    check_identities,
    fetch_email_domains,
    find_duplicates,
)
from program_enrollments.api.learners.student_keys import end_honoring, fetch_honored
from program_enrollments.api.transactions import in_transaction, is_lost, rehearse
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome, Word
from program_enrollments.exceptions import (
    HostAnswerUnusable,
    HostError,
    HostRefused,
    TooManyRows,
    WriteInterrupted,
)
from program_enrollments.failures import describe_failure
from program_enrollments.host.deadline import is_time_up, limited
from program_enrollments.models import Learner

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
"""Before a chunk that met an outage is tried once more: restarts of a pool or a proxy are over by then."""

ROWS_OF_AN_OUTAGE = 3
"""Rows that fail alone, one after the other and in the same way, before the cause is taken to be none of them."""

ChunkWriter = Callable[[Sequence[int]], dict[int, RowOutcome]]
"""Writes the rows with these numbers in the transaction it is called in, and returns each one's outcome."""


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """What is known of a call's rows before anything is locked.

    Identities stand in the order of the rows; `duplicated` are numbers of rows.
    """

    identities: list[Identity]
    duplicates: set[int]
    domains: frozenset[str] = frozenset()


def prepare_rows(
    *, school_id: int, rows: Sequence[EnrollmentRequest], allow_pseudonyms: bool, now: datetime
) -> PreparedRows:
    """Check the identities of all rows of a call and find those that name one learner twice.

    A student ID that is honored for a learner who has another one now names that learner. A learner may be named by ID
    in one row and by e-mail address in another, so stored addresses are looked at wherever a call mixes the two. Raises
    TooManyRows over the setting `MAX_ROWS`.
    """
    limit = get_setting("MAX_ROWS")
    if len(rows) > limit:
        raise TooManyRows(limit=limit, received=len(rows))
    if not rows:
        return PreparedRows([], set())
    domains = fetch_email_domains(school_id=school_id)
    identities = check_identities(rows=rows, domains=domains, allow_pseudonyms=allow_pseudonyms)
    _read_honored(school_id=school_id, identities=identities, now=now)
    _read_addresses_as_such(school_id=school_id, identities=identities)
    addresses = [
        identity.email_normalized
        for identity in identities
        if identity.email_normalized and not identity.student_key_normalized
    ]
    student_keys_by_email: dict[str, str] = {}
    if addresses and len(addresses) < len(identities):
        size = get_setting("CHUNK_SIZE")
        for start in range(0, len(addresses), size):
            student_keys_by_email.update(
                Learner.objects.filter(
                    school_id=school_id,
                    email_normalized__in=addresses[start : start + size],
                    student_key_normalized__isnull=False,
                ).values_list("email_normalized", "student_key_normalized")
            )
    keys = [row.key for row in rows]
    duplicates = find_duplicates(keys=keys, identities=identities, student_keys_by_email=student_keys_by_email)
    return PreparedRows(identities, duplicates, domains)


def _read_honored(*, school_id: int, identities: list[Identity], now: datetime) -> None:
    """Let a row with a former student ID that is still honored name the learner who had it."""
    student_keys = {identity.student_key_normalized for identity in identities if identity.valid}
    honored = fetch_honored(school_id=school_id, student_keys=student_keys - {""}, now=now)
    if honored.due:
        in_transaction(lambda: end_honoring(learner_ids=honored.due, now=now))
    for number, identity in enumerate(identities) if honored.current else ():
        if current := honored.current.get(identity.student_key_normalized):
            identities[number] = identity._replace(student_key=current[0], student_key_normalized=current[1])


def _read_addresses_as_such(*, school_id: int, identities: list[Identity]) -> None:
    """Let a row whose student ID is an address name the learner known by that address alone.

    Lists show that learner under the address, and whoever writes back what they have read must not
    make a second person of one. A learner with such a student ID of their own comes first.
    """
    alike = {
        identity.student_key_normalized
        for identity in identities
        if "@" in identity.student_key_normalized and not identity.email_normalized
    }
    if not alike:
        return
    of_school = Learner.objects.filter(school_id=school_id).order_by()
    taken = set(of_school.filter(student_key_normalized__among=alike).values_list("student_key_normalized", flat=True))
    known = of_school.filter(email_normalized__among=alike - taken).values_list(
        "email_normalized", "student_key_normalized"
    )
    shown = {email for email, student_key in known if not student_key}
    for number, identity in enumerate(identities):
        if not identity.email_normalized and identity.student_key_normalized in shown:
            identities[number] = Identity("", "", identity.student_key, identity.student_key_normalized, True)


def write_in_chunks(
    *, rows: Sequence[EnrollmentRequest], numbers: Sequence[int], write: ChunkWriter, dry_run: bool = False
) -> dict[int, RowOutcome]:
    """Write the rows `numbers` and return an outcome for each.

    At most `CHUNK_SIZE` learners are locked at a time. Where a chunk fails for a reason of a row's,
    it is halved until the failing rows stand alone: those become `internal-error`, the others go
    through. An outage is no row's fault: it is tried once more, then WriteInterrupted says which rows
    stand. With `dry_run` each chunk is taken back. Raises also what made the database give up a
    transaction that the caller opened: then no row goes through.
    """
    size = get_setting("CHUNK_SIZE")
    run = _BulkRun(rows, write, rehearse if dry_run else in_transaction)
    with limited("CALL_HOST_SECONDS"):
        for start in range(0, len(numbers), size):
            run.write_or_halve(numbers[start : start + size])
    return run.outcomes


class _BulkRun:
    """One call's way through its chunks.

    It keeps the outcomes so far, and how often rows failed one after the other.
    """

    def __init__(
        self,
        rows: Sequence[EnrollmentRequest],
        write: ChunkWriter,
        carry_out: Callable[[Callable[[], dict[int, RowOutcome]]], dict[int, RowOutcome]],
    ) -> None:
        self.rows = rows
        self.write = write
        self.carry_out = carry_out
        self.outcomes: dict[int, RowOutcome] = {}
        self.failed_alone: list[str] = []

    def write_or_halve(self, numbers: Sequence[int]) -> None:
        """Write these rows, or halves of them if one of them may be what fails."""
        try:
            self.outcomes.update(self._write_unless_out(numbers))
        # A failure that is one row's must not cost the others theirs (docs/api.rst, internal-error).
        except Exception as error:
            if is_lost() or isinstance(error, WriteInterrupted):
                raise
            if len(numbers) > 1:
                middle = len(numbers) // 2
                self.write_or_halve(numbers[:middle])
                self.write_or_halve(numbers[middle:])
                return
            self._blame(numbers[0], error)
        else:
            self.failed_alone.clear()

    def _write_unless_out(self, numbers: Sequence[int]) -> dict[int, RowOutcome]:
        """Write these rows in a transaction, after an outage once more.

        Raises WriteInterrupted if the outage goes on.
        """
        try:
            return self.carry_out(lambda: self.write(numbers))
        # Only an outage is dealt with here; everything else goes on to whoever halves.
        except Exception as error:
            if is_lost() or not (_is_outage(error) or is_time_up()):
                raise
            logger.error("A bulk write met an outage: %s.", describe_failure(error))
        if is_time_up():
            raise self._interrupted()
        time.sleep(PAUSE_SECONDS)
        try:
            return self.carry_out(lambda: self.write(numbers))
        # The same: what is no outage the second time is a row's.
        except Exception as error:
            if not _is_outage(error):
                raise
            raise self._interrupted() from error

    def _blame(self, number: int, error: Exception) -> None:
        """Make a row that fails alone an `internal-error`.

        If one row after the other fails in the same way, that is an outage: raises WriteInterrupted.
        """
        # The exception's text may hold what the row held.
        failure = describe_failure(error)
        logger.error("A row of a bulk write failed: %s.", failure)
        self.failed_alone.append(failure)
        if len(self.failed_alone) >= ROWS_OF_AN_OUTAGE and len(set(self.failed_alone)) == 1:
            raise self._interrupted() from error
        self.outcomes[number] = RowOutcome(self.rows[number].key, Word.INTERNAL_ERROR.value, False)

    def _interrupted(self) -> WriteInterrupted:
        return WriteInterrupted({outcome.key: outcome.word for outcome in self.outcomes.values() if outcome.good})


def _is_outage(error: Exception) -> bool:
    """Whether the host or the database is away, rather than a row unusable."""
    if isinstance(error, HostRefused | HostAnswerUnusable):
        return False
    return isinstance(error, HostError | OperationalError | InterfaceError)
