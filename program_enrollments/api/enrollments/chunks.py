"""Chunking: a call's rows in short transactions, with a failure kept to the row that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from program_enrollments.api.learners.identity import (
    EnrollmentRequest,
    Identity,
    check_identities,
    fetch_email_domains,
    find_duplicates,
)
from program_enrollments.api.learners.student_keys import end_honoring, fetch_honored
from program_enrollments.api.transactions import in_transaction, is_lost
from program_enrollments.conf import get_setting
from program_enrollments.data import RowOutcome, Word
from program_enrollments.exceptions import TooManyRows
from program_enrollments.failures import describe_failure
from program_enrollments.host.deadline import is_time_up, limited
from program_enrollments.models import Learner

logger = logging.getLogger(__name__)

ChunkWriter = Callable[[Sequence[int]], dict[int, RowOutcome]]
"""Writes the rows with these numbers in the transaction it is called in, and returns each one's outcome."""


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """What is known of a call's rows before anything is locked.

    It has the identities in their order, and the numbers of the duplicated rows.
    """

    identities: list[Identity]
    duplicates: set[int]


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
    identities = check_identities(
        rows=rows, domains=fetch_email_domains(school_id=school_id), allow_pseudonyms=allow_pseudonyms
    )
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
    return PreparedRows(
        identities, find_duplicates(keys=keys, identities=identities, student_keys_by_email=student_keys_by_email)
    )


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
    """Let a row whose student ID is an address name the learner that lists show under it.

    That learner is known by the address alone.

    Whoever writes back what they have read must not make a second person of one. A learner with such a student ID of
    their own comes first.
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
    *, rows: Sequence[EnrollmentRequest], numbers: Sequence[int], write: ChunkWriter
) -> dict[int, RowOutcome]:
    """Write the rows `numbers`, and return an outcome for each.

    At most `CHUNK_SIZE` learners are locked at a time.

    Where a chunk fails it is halved until the failing rows stand alone: those become `internal-error`, the others go
    through. Once the time for the host is up, a chunk that needs it fails as a whole. Raises what made the database
    give up a transaction that the caller opened: then no row goes through.
    """
    size = get_setting("CHUNK_SIZE")
    outcomes: dict[int, RowOutcome] = {}
    with limited("CALL_HOST_SECONDS"):
        for start in range(0, len(numbers), size):
            outcomes.update(_write_or_halve(rows, numbers[start : start + size], write))
    return outcomes


def _write_or_halve(
    rows: Sequence[EnrollmentRequest], numbers: Sequence[int], write: ChunkWriter
) -> dict[int, RowOutcome]:
    try:
        return in_transaction(lambda: write(numbers))
    # A host or database failure of one row must not cost the others theirs (docs/api.rst).
    except Exception as error:
        if is_lost():
            raise
        if is_time_up():
            logger.error(
                "The time for the host is up: %d rows of a bulk write failed (%s).",
                len(numbers),
                describe_failure(error),
            )
            return {number: RowOutcome(rows[number].key, Word.INTERNAL_ERROR.value, False) for number in numbers}
        if len(numbers) > 1:
            middle = len(numbers) // 2
            return {
                **_write_or_halve(rows, numbers[:middle], write),
                **_write_or_halve(rows, numbers[middle:], write),
            }
        # The exception's text may hold what the row held.
        logger.error("A row of a bulk write failed: %s.", describe_failure(error))
        (number,) = numbers
        return {number: RowOutcome(rows[number].key, Word.INTERNAL_ERROR.value, False)}
