"""Records of the dashboard: what its pages show, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from program_enrollments.data import DueDate, Grade, ProgramStatus
from program_enrollments.document_links import DocumentLink
from program_enrollments.models import School

OVER_STATUSES = frozenset({ProgramStatus.ENDED.value, ProgramStatus.CANCELED.value})
"""Program statuses in which nothing goes on: pages only show what was."""


class CourseGroup(TextChoices):
    """Where a course stands for a learner, by the dates of its run; in the order of the page."""

    NOW = "now", _("Now")
    COMING = "coming", _("Coming up")
    DONE = "done", _("Done")
    LATER = "later", _("Not yet offered")
    CLOSED = "closed", _("Closed for you")


class NoticeKind(TextChoices):
    """What somebody has to know who signed on, and doesn't see the expected program."""

    DISPUTED = "disputed", _("another account holds this learner's place")
    CLAIMED = "claimed", _("another account claims this learner's place")
    IN_QUESTION = "in_question", _("a person checks whose student ID it is")
    UNFINISHED = "unfinished", _("enrollments could not be made real yet")
    NOTHING_ENROLLED = "nothing_enrolled", _("the school has enrolled the learner in nothing")
    UNCONFIRMED = "unconfirmed", _("the account's address waits to be confirmed")
    UNKNOWN = "unknown", _("no school knows the account")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice, the school that it is about if there is one, and since when.

    `name` is what the school, or the account itself, goes by: a student ID or an address of the viewer's own.
    """

    kind: str
    school: School | None = None
    since: datetime | None = None
    name: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCourse:
    """A course run of the learner's program. What the host doesn't report is empty."""

    course_id: str
    title: str
    url: str = ""
    start: datetime | None = None
    end: datetime | None = None
    status: str = ""
    """A value of `CourseStatus`; empty if the learner has not been enrolled."""
    group: str = CourseGroup.NOW.value
    is_of_enrolled: bool = False
    """Whether the learner is enrolled in the program now: no page leads a suspended one into a course."""
    is_refused: bool = False
    """Whether the platform has refused the seat so far."""
    is_given_up: bool = False
    """Whether the seat waits for a person."""
    reference: str = ""
    progress: float | None = None
    grade: Grade | None = None
    resume_url: str = ""
    due: DueDate | None = None
    certificate_url: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the learner can go there now."""
        return self.is_of_enrolled and self.group == CourseGroup.NOW and not self.is_refused

    @property
    def continue_url(self) -> str:
        """Where to go on learning, "" where nothing is known."""
        return (self.resume_url or self.url) if self.is_open else ""

    @property
    def percent(self) -> int | None:
        """The progress in percent."""
        return None if self.progress is None else round(self.progress * 100)


def _due_first(course: OwnCourse) -> float:
    return course.due.due.timestamp() if course.due else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProgram:
    """A program that the learner is, or was, in."""

    enrollment_id: int
    learner_id: int
    uuid: UUID
    title: str
    type: str
    url: str
    school: School
    status: str
    since: datetime | None
    enrolled_at: datetime | None
    student_key: str
    advisor_name: str = ""
    advisor_email: str = ""
    documents: tuple[DocumentLink, ...] = ()
    courses: tuple[OwnCourse, ...] = ()
    is_claimed: bool = False
    """Whether another account claims the learner's place."""

    @property
    def is_over(self) -> bool:
        """Whether the program has ended for the learner: its page is read-only."""
        return self.status in OVER_STATUSES

    @property
    def counted(self) -> list[OwnCourse]:
        """The courses that "4 of 10 courses done" is about."""
        closed_count = self.status != ProgramStatus.ENROLLED
        return [course for course in self.courses if closed_count or course.group != CourseGroup.CLOSED]

    @property
    def total(self) -> int:
        """How many courses the plan of study has, as far as it is known."""
        return len(self.counted)

    @property
    def done(self) -> int:
        """How many of them are over."""
        return sum(course.group == CourseGroup.DONE for course in self.courses)

    @property
    def percent(self) -> int:
        """The share of courses done, in percent."""
        return round(100 * self.done / self.total) if self.total else 0

    @property
    def continue_course(self) -> OwnCourse | None:
        """The course to go on with: the one with the next due date, or else the first that is open."""
        open_ones = [course for course in self.courses if course.continue_url]
        return min(
            open_ones, key=lambda course: course.due.due.timestamp() if course.due else float("inf"), default=None
        )

    @property
    def refused(self) -> list[OwnCourse]:
        """The courses whose seats the platform refused."""
        return [course for course in self.courses if course.is_refused]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """All programs of an account, and what it has to know besides.

    `is_partial`: the host did not report everything that it usually does.
    """

    programs: tuple[OwnProgram, ...] = ()
    notices: tuple[Notice, ...] = ()
    keep_account_url: str = ""
    is_partial: bool = False

    @property
    def schools(self) -> list[School]:
        """The schools that the dashboard is about, each once."""
        named = [program.school for program in self.programs]
        named += [notice.school for notice in self.notices if notice.school is not None]
        return list({school.pk: school for school in named}.values())


@dataclass(frozen=True, slots=True)
class OwnProgramPage:
    """One program of an account, with a confirmation to print."""

    program: OwnProgram
    confirmation_code: str
    name: str
    keep_account_url: str = ""
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class OwnLearner:
    """What one school knows of an account, and how the two were linked."""

    school: School
    student_key: str
    email: str
    link_how: str
    linked_at: datetime | None
    programs: tuple[OwnProgram, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnData:
    """What the schools know of an account."""

    learners: tuple[OwnLearner, ...] = field(default=())
    keep_account_url: str = ""
