"""The optional ports, with their answers checked: an unusable record is left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from program_enrollments.data import DueDate, Grade
from program_enrollments.host.answer_rules import (
    Flaw,
    as_asked,
    find_due_date_flaw,
    find_learner_grade_flaw,
    find_link_flaw,
    find_progress_flaw,
    is_one_of,
)
from program_enrollments.host.checked_calls import Call, CheckedPort

WANTED_COURSE = "one of the course keys that the call names"


class CheckedCourseMapping(CheckedPort):
    """Base class of the ports that answer with a record per course run."""

    def _by_course(
        self,
        call: Call,
        answer: object,
        course_ids: Collection[str],
        find_flaw: Callable[[object], Flaw | None],
    ) -> dict[str, Any]:
        """Return the usable records. Raises HostAnswerUnusable if the answer is no mapping."""
        asked = as_asked(course_ids)
        usable: dict[str, Any] = {}
        for course_id, record in call.mapping(answer, wanted="a mapping of course keys").items():
            known = is_one_of(course_id, asked=asked)
            flaw = find_flaw(record) if known else Flaw("a key", course_id, WANTED_COURSE)
            if flaw is None:
                usable[course_id] = record
            else:
                call.note(flaw)
        return call.done(usable)


class CheckedProgress(CheckedCourseMapping):
    """`ProgressPort`."""

    def fetch_progress(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, float]:
        call = self._call("fetch_progress")
        answer = call.make_report(user_id=user_id, course_ids=course_ids)
        return self._by_course(call, answer, course_ids, find_progress_flaw)


class CheckedLearnerGrades(CheckedCourseMapping):
    """`LearnerGradePort`."""

    def fetch_learner_grades(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, Grade]:
        call = self._call("fetch_learner_grades")
        answer = call.make_report(user_id=user_id, course_ids=course_ids)
        return self._by_course(call, answer, course_ids, find_learner_grade_flaw)


class CheckedResumeLinks(CheckedCourseMapping):
    """`ResumeLinkPort`."""

    def fetch_resume_links(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        call = self._call("fetch_resume_links")
        answer = call.make_report(user_id=user_id, course_ids=course_ids)
        return self._by_course(call, answer, course_ids, find_link_flaw)


class CheckedDueDates(CheckedCourseMapping):
    """`DueDatePort`."""

    def fetch_due_dates(self, *, user_id: int, course_ids: Collection[str], after: datetime) -> Mapping[str, DueDate]:
        call = self._call("fetch_due_dates")
        answer = call.make_report(user_id=user_id, course_ids=course_ids, after=after)
        return self._by_course(call, answer, course_ids, lambda record: find_due_date_flaw(record, after=after))


class CheckedCertificates(CheckedCourseMapping):
    """`CertificatePort`."""

    def fetch_certificates(self, *, user_id: int, course_ids: Collection[str]) -> Mapping[str, str]:
        call = self._call("fetch_certificates")
        answer = call.make_report(user_id=user_id, course_ids=course_ids)
        return self._by_course(call, answer, course_ids, find_link_flaw)


class CheckedKeepAccount(CheckedPort):
    """`KeepAccountPort`."""

    def keep_account_url(self, *, user_id: int) -> str:
        call = self._call("keep_account_url")
        answer = call.make_report(user_id=user_id)
        flaw = None if answer == "" else find_link_flaw(answer)
        if flaw is not None:
            call.note(flaw)
        return call.done(answer if flaw is None else "")
