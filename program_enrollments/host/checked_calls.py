"""Calls of a host's ports: made while there is time, with the faults of each answer reported."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from django.db import DatabaseError

from program_enrollments.exceptions import HostAnswerUnusable, HostDeadlinePassed, HostError
from program_enrollments.failures import describe_failure
from program_enrollments.host.answer_rules import WANTED_USER, Fault, Flaw, as_asked, find_account_flaw, is_one_of
from program_enrollments.host.deadline import is_time_up
from program_enrollments.host.ports import Host

logger = logging.getLogger(__name__)
T = TypeVar("T")

Report = Callable[[Sequence[Fault]], None]
"""Called with all faults of one call, if there are any."""


def log_faults(faults: Sequence[Fault]) -> None:
    """Log a line per kind of fault, with the type of what was returned and never the value."""
    kinds = Counter(
        (fault.adapter, fault.call, fault.flaw.field, type(fault.flaw.returned).__name__, fault.flaw.wanted)
        for fault in faults
    )
    for kind, times in kinds.items():
        logger.error(
            "The host adapter %s answered %s with an unusable value for %s, of type %s; it has to be %s. Records: %d.",
            *kind,
            times,
        )


class Call:
    """One call of a port, and the faults in its answer."""

    def __init__(self, *, adapter: Host, port: str, method: str, report: Report) -> None:
        self._adapter, self._port, self._method, self._report = adapter, port, method, report
        self._faults: list[Fault] = []

    def make(self, **arguments: Any) -> Any:
        """Make the call. Raises HostDeadlinePassed if there is no time left for it."""
        if is_time_up():
            raise HostDeadlinePassed
        return getattr(getattr(self._adapter, self._port), self._method)(**arguments)

    def make_report(self, **arguments: Any) -> Any:
        """Make a call that only reads and that no transaction depends on.

        Raises HostError if the adapter raises. The adapter's message is not logged: it may contain personal data.
        """
        try:
            return self.make(**arguments)
        except (HostError, DatabaseError):
            raise
        except Exception as error:
            logger.error(
                "The host adapter %s raised %s in %s.%s.",
                name_of(self._adapter),
                describe_failure(error),
                self._port,
                self._method,
            )
            raise HostError from error

    def note(self, flaw: Flaw) -> None:
        """Keep a flaw of the answer for the report."""
        self._faults.append(Fault(name_of(self._adapter), f"{self._port}.{self._method}", flaw))

    def done(self, answer: T) -> T:
        """Report the faults and return the answer."""
        if self._faults:
            self._report(self._faults)
        return answer

    def refuse(self, flaw: Flaw) -> HostAnswerUnusable:
        """Report the faults and return the exception to raise."""
        self.note(flaw)
        self._report(self._faults)
        return HostAnswerUnusable()

    def mapping(self, answer: object, *, wanted: str) -> Mapping[Any, Any]:
        """Return an answer that is a mapping. Raises HostAnswerUnusable for any other."""
        if not isinstance(answer, Mapping):
            raise self.refuse(Flaw("the answer", answer, wanted))
        return answer

    def collection(self, answer: object, *, wanted: str) -> Collection[Any]:
        """Return an answer that is a collection of things, not text. Raises HostAnswerUnusable for any other."""
        if not isinstance(answer, Collection) or isinstance(answer, (str, bytes, Mapping)):
            raise self.refuse(Flaw("the answer", answer, wanted))
        return answer


class CheckedPort:
    """Base class of the checked ports."""

    def __init__(self, adapter: Host, name: str, report: Report) -> None:
        self._adapter, self._name, self._report = adapter, name, report

    def _call(self, method: str) -> Call:
        return Call(adapter=self._adapter, port=self._name, method=method, report=self._report)

    def _by_user(
        self, call: Call, answer: object, user_ids: Collection[int], find_flaw: Callable[[object], Flaw | None]
    ) -> tuple[dict[int, Any], set[int]]:
        """Return the usable records, and the users whose records are unusable.

        If a key cannot be a user ID at all, its record may belong to any user without a record of their own.
        """
        asked = as_asked(user_ids)
        if not isinstance(answer, Mapping):
            call.note(Flaw("the answer", answer, "a mapping of user IDs"))
            return {}, set(user_ids)
        usable: dict[int, Any] = {}
        unusable: set[int] = set()
        strays = False
        for user_id, record in answer.items():
            if not is_one_of(user_id, asked=asked):
                call.note(Flaw("a key", user_id, WANTED_USER))
                strays = strays or find_account_flaw(user_id) is not None
                continue
            flaw = find_flaw(record)
            if flaw is None:
                usable[user_id] = record
            else:
                call.note(flaw)
                unusable.add(user_id)
        return usable, unusable | (asked.keys() - usable.keys() if strays else set())


def name_of(adapter: object) -> str:
    """Return the dotted path of an adapter's class, as the setting `HOST` has it."""
    return f"{type(adapter).__module__}.{type(adapter).__qualname__}"
