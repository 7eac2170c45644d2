"""The words of the domain: statuses, requests, outcomes. Values only; nothing here touches a database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class ProgramStatus(TextChoices):
    """What a school says of a learner's place in a program."""

    ENROLLED = "enrolled", _("enrolled")
    PENDING = "pending", _("pending")
    SUSPENDED = "suspended", _("suspended")
    CANCELED = "canceled", _("canceled")
    ENDED = "ended", _("ended")


LEAVING_STATUSES = frozenset({ProgramStatus.SUSPENDED.value, ProgramStatus.CANCELED.value, ProgramStatus.ENDED.value})
"""Program statuses that, with `cascade`, also end the learner's course enrollments and roles in the program."""

PRESENT_STATUSES = frozenset({ProgramStatus.ENROLLED.value, ProgramStatus.PENDING.value, ProgramStatus.SUSPENDED.value})
"""Program statuses of learners who are still students of the school."""


class CourseStatus(TextChoices):
    """What a school says of a learner's place in a course run, through a program."""

    ACTIVE = "active", _("active")
    INACTIVE = "inactive", _("inactive")


class LinkHow(TextChoices):
    """The evidence by which a learner was linked to an account.

    A link by staff or by single sign-on is stronger than one by e-mail (ADR 0006).
    """

    SSO = "sso", _("single sign-on")
    EMAIL = "email", _("confirmed e-mail")
    STAFF = "staff", _("support staff")
    COMMAND = "command", _("management command")


class LinkState(TextChoices):
    """The state of a learner's link to an account."""

    LINKED = "linked", _("linked")
    WAITING = "waiting", _("waiting")
    CONFLICT = "conflict", _("conflict")


class LearnerState(TextChoices):
    """Where a learner of a program stands, in the words of the console.

    Who needs help is counted as such, with or without an account; who has left, and never came, waits for nothing.
    """

    IN = "in", _("has an account")
    WAITING = "waiting", _("waiting for an account")
    HELP = "help", _("needs help")
    NONE = "none", _("no account")


class LearnerProblem(TextChoices):
    """Why a person has to look at a learner."""

    CONFLICT = "conflict", _("two claims disagree")
    REALIZING_FAILED = "realizing_failed", _("enrollments could not be made real")
    POSSIBLY_NEW_PERSON = "possibly_new_person", _("the student ID may be another person's now")


class Permission(TextChoices):
    """What a grant allows.

    Any grant on a program makes the program visible. `SCHOOL_PERMISSIONS` are never granted on a single program.
    """

    METADATA = "metadata", _("see programs and course runs")
    READ_ENROLLMENTS = "read_enrollments", _("see enrollments")
    WRITE_ENROLLMENTS = "write_enrollments", _("write enrollments")
    READ_REPORTS = "read_reports", _("see grades and attendance")
    FREEZE_GRADES = "freeze_grades", _("freeze grades")
    REOPEN_GRADES = "reopen_grades", _("reopen frozen grades")
    MANAGE_SCHOOL = "manage_school", _("manage the school's settings")
    MANAGE_SIGN_ON = "manage_sign_on", _("manage the school's identity providers")
    MANAGE_ACCESS = "manage_access", _("manage who has access")


SCHOOL_PERMISSIONS = (Permission.MANAGE_SCHOOL, Permission.MANAGE_SIGN_ON, Permission.MANAGE_ACCESS)
"""Permissions that concern a school as a whole."""

PROGRAM_PERMISSIONS = tuple(permission for permission in Permission if permission not in SCHOOL_PERMISSIONS)
"""Permissions that may be granted on a school or on a single program of it."""


class Bundle(TextChoices):
    """The usual sets of permissions, each with all of the one before."""

    VIEWER = "viewer", _("viewer")
    EDITOR = "editor", _("enrollment editor")
    REGISTRAR = "registrar", _("registrar")


_VIEWER = frozenset({Permission.METADATA.value, Permission.READ_ENROLLMENTS.value, Permission.READ_REPORTS.value})
_EDITOR = _VIEWER | {Permission.WRITE_ENROLLMENTS.value}
BUNDLES: dict[str, frozenset[str]] = {
    Bundle.VIEWER.value: _VIEWER,
    Bundle.EDITOR.value: _EDITOR,
    Bundle.REGISTRAR.value: _EDITOR | {Permission.FREEZE_GRADES.value, Permission.REOPEN_GRADES.value},
}
"""What each bundle allows, the smallest first."""


class Source(TextChoices):
    """The entry point through which a change came."""

    API = "api", _("API")
    UPLOAD = "upload", _("upload")
    UNDO = "undo", _("undo")
    SIGN_IN = "sign_in", _("sign-in")
    EMAIL = "email", _("confirmed e-mail")
    SWEEP = "sweep", _("sweep")
    STAFF = "staff", _("support staff")
    COMMAND = "command", _("management command")
    CONSOLE = "console", _("console")
    HOST = "host", _("learning platform")


class ChangeKind(TextChoices):
    """The kind of change that a ledger entry records."""

    PROGRAM_ENROLLMENT = "program_enrollment", _("program enrollment")
    PROGRAM_CURRICULUM = "program_curriculum", _("curriculum")
    PROGRAM_REALIZED = "program_realized", _("program enrollment became real")
    PROGRAM_PROMISED = "program_promised", _("program enrollment waits for an account again")
    COURSE_ENROLLMENT = "course_enrollment", _("course enrollment")
    COURSE_REALIZED = "course_realized", _("course enrollment became real")
    COURSE_PROMISED = "course_promised", _("course enrollment waits for an account again")
    COURSE_STAFF = "course_staff", _("course staff role")
    SEAT_DRIFT = "seat_drift", _("the learning platform changed the seat")
    LINK = "link", _("link to an account")
    STUDENT_KEY = "student_key", _("student ID")
    EMAIL = "email", _("e-mail")
    MERGE = "merge", _("two records of one person joined")
    CONFLICT = "conflict", _("another account claims this learner")
    CONFLICT_SETTLED = "conflict_settled", _("conflict settled")
    RETIRED = "retired", _("person retired")


class SettingChangeKind(TextChoices):
    """The kind of a change of a school's settings that is recorded."""

    SCHOOL_CHANGED = "school_changed", _("settings changed")
    ENDPOINT_ADDED = "endpoint_added", _("webhook endpoint added")
    ENDPOINT_REMOVED = "endpoint_removed", _("webhook endpoint removed")
    ENDPOINT_ON = "endpoint_on", _("webhook endpoint switched on")
    ENDPOINT_OFF = "endpoint_off", _("webhook endpoint switched off")
    SECRET_REPLACED = "secret_replaced", _("secret of a webhook endpoint replaced")
    FEED_ADDED = "feed_added", _("feed added")
    FEED_CHANGED = "feed_changed", _("feed changed")
    CONTACT_ADDED = "contact_added", _("contact added")
    CONTACT_REMOVED = "contact_removed", _("contact removed")


class Verb(TextChoices):
    """How a write treats what exists: POST creates only, PATCH updates only, PUT does either."""

    CREATE = "create", _("create")
    UPDATE = "update", _("update")
    UPSERT = "upsert", _("create or update")


class Word(TextChoices):
    """The words that refuse a row (docs/api.rst). A good row's word is the status now stored."""

    DUPLICATED = "duplicated", _("Two rows name this learner; none of them was written.")
    INVALID_STATUS = "invalid-status", _("The status is not one of the allowed words.")
    INVALID_IDENTITY = "invalid-identity", _("The student ID or e-mail address cannot be used.")
    INVALID_CURRICULUM = "invalid-curriculum", _("The curriculum is not one of this program.")
    CONFLICT = "conflict", _("The learner is already enrolled.")
    NOT_IN_PROGRAM = "not-in-program", _("The learner is not in this program.")
    NOT_FOUND = "not-found", _("The learner is not in this course run.")
    INTERNAL_ERROR = "internal-error", _("This row failed unexpectedly; the others went through.")


class AcknowledgementState(TextChoices):
    """What the university's own system did with a frozen grade."""

    RECORDED = "recorded", _("recorded")
    REJECTED = "rejected", _("rejected")


class WebhookEvent(TextChoices):
    """The events that a school's software is notified of (docs/webhooks.rst)."""

    CHANGES_AVAILABLE = "changes.available", _("there are changes to read")
    JOB_FINISHED = "job.finished", _("a file has ended")
    JOB_HELD = "job.held", _("a file waits for a decision")
    GRADES_FROZEN = "grades.frozen", _("grades were frozen")
    GRADES_REOPENED = "grades.reopened", _("grades were reopened")
    LEARNER_CONFLICT = "learner.conflict", _("two accounts claim a learner")
    TEST = "webhook.test", _("a test")


class MailKind(TextChoices):
    """What a school's contacts are mailed about (docs/mails.rst)."""

    FEED_LATE = "feed.late", _("a file has not come")
    FILE_REJECTED = "file.rejected", _("a file could not be taken")
    JOB_HELD = "job.held", _("a file waits for a decision")
    JOB_FAILED = "job.failed", _("a file failed")
    JOB_WAITING = "job.waiting", _("a file has been waiting for long")
    ROWS_REFUSED = "rows.refused", _("lines were refused")
    IDS_CHANGED = "ids.changed", _("student IDs have probably changed")
    CERTIFICATE_ENDS = "certificate.ends", _("a certificate ends")
    WEBHOOK_OFF = "webhook.off", _("a webhook endpoint was switched off")


class JobKind(TextChoices):
    """What a job's file is about."""

    PROGRAM_ENROLLMENTS = "program_enrollments", _("program enrollments")
    COURSE_ENROLLMENTS = "course_enrollments", _("course enrollments")
    STUDENT_KEYS = "student_keys", _("student IDs")


class JobMode(TextChoices):
    """What a file says: who is to be changed, or who is present."""

    UPSERT = "upsert", _("create and update")
    SNAPSHOT = "snapshot", _("everybody who is present")


class JobState(TextChoices):
    """Where a job stands (docs/api.rst, Jobs)."""

    PENDING = "pending", _("waits for its turn")
    CHECKING = "checking", _("the file is being checked")
    RUNNING = "running", _("the file is being applied")
    HELD = "held", _("waits for a person to decide")
    WAITING = "waiting", _("waits for the platform to come back")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    CANCELED = "canceled", _("canceled")
    SUPERSEDED = "superseded", _("superseded by a newer snapshot")


STATES_IN_SENTENCES = (
    gettext_noop("pending"),
    gettext_noop("checking"),
    gettext_noop("running"),
    gettext_noop("held"),
    gettext_noop("waiting"),
    gettext_noop("succeeded"),
    gettext_noop("failed"),
    gettext_noop("canceled"),
    gettext_noop("superseded"),
)
"""The states as sentences about a job name them: the API's words, which pages translate with the sentence."""


class FeedFileState(TextChoices):
    """What became of a file that a feed brought."""

    SEEN = "seen", _("seen, perhaps not complete yet")
    TAKEN = "taken", _("taken")
    REJECTED = "rejected", _("rejected")


ENDED_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.SUPERSEDED})
"""States that a job leaves only if a person resumes it."""


class FileWord(TextChoices):
    """The words of a row that only files have (docs/api.rst, Jobs)."""

    UNREADABLE = "unreadable", _("The line cannot be read.")
    INVALID_COURSE = "invalid-course", _("The program has no such course run.")
    LEFT = "left", _("The snapshot does not name this learner.")
    KEPT = "kept", _("The enrollment is marked to keep.")
    CHANGED_SINCE = "changed-since", _("The enrollment was changed after the file had been checked.")
    DELETED = "deleted", _("The undo deleted the enrollment, which the undone job had made.")


class RekeyWord(TextChoices):
    """The words that only lines of a re-key have (docs/api.rst, Jobs)."""

    RENAMED = "renamed", _("The learner has the new student ID.")
    RELEASED = "released", _("The student ID is free for somebody else.")
    UNKNOWN = "unknown", _("Nobody at the school has the old student ID.")
    TAKEN = "taken", _("The new student ID is somebody else's.")
    INVALID = "invalid", _("One of the student IDs cannot be used.")


REFUSING_WORDS = frozenset(
    {
        *Word.values,
        FileWord.UNREADABLE.value,
        FileWord.INVALID_COURSE.value,
        FileWord.CHANGED_SINCE.value,
        RekeyWord.UNKNOWN.value,
        RekeyWord.TAKEN.value,
        RekeyWord.INVALID.value,
    }
)
"""Words of lines that asked for something that was not done: somebody has to look."""


class SignOnRefusal(TextChoices):
    """Why a sign-on through this app was refused, in the words of the log (ADR 0008).

    `saml.refusals` has the messages that people read.
    """

    PROVIDER_UNKNOWN = "provider_unknown", _("no such identity provider here")
    PROVIDER_DISABLED = "provider_disabled", _("the identity provider is switched off")
    PROVIDER_INCOMPLETE = "provider_incomplete", _("the identity provider has no SAML configuration")
    CERTIFICATES_UNUSABLE = "certificates_unusable", _("the identity provider's signing certificates are unusable")
    PROVIDER_TEST_ONLY = "provider_test_only", _("the school's identity provider is for tests only")
    PROVIDER_MISSING = "provider_missing", _("the school has no identity provider")
    RESPONSE_MISSING = "response_missing", _("no response was sent")
    RESPONSE_UNREADABLE = "response_unreadable", _("the response cannot be read")
    RESPONSE_TOO_LARGE = "response_too_large", _("the response is too large")
    DECLINED = "declined", _("the identity provider itself refused")
    UNSIGNED = "unsigned", _("the assertion is not signed")
    SIGNATURE_WRONG = "signature_wrong", _("a signature does not hold")
    ENCRYPTION_WEAK = "encryption_weak", _("encrypted by a cipher without integrity, and not to be believed")
    ALGORITHM_WEAK = "algorithm_weak", _("a signature uses an algorithm that is not accepted")
    ISSUER_WRONG = "issuer_wrong", _("another issuer than expected")
    AUDIENCE_WRONG = "audience_wrong", _("meant for another service")
    DESTINATION_WRONG = "destination_wrong", _("meant for another address")
    CONDITIONS_MISSING = "conditions_missing", _("audience, destination or time limits are missing")
    EXPIRED = "expired", _("expired")
    NOT_YET_VALID = "not_yet_valid", _("not yet valid")
    REPLAYED = "replayed", _("used before")
    REQUEST_UNKNOWN = "request_unknown", _("answers no request of this browser")
    UNASKED = "unasked", _("nobody asked, and this provider may not start sign-ons")
    ID_MISSING = "id_missing", _("the permanent ID is missing")
    ID_AMBIGUOUS = "id_ambiguous", _("the permanent ID is not a single plain value")
    ID_UNUSABLE = "id_unusable", _("the permanent ID is too long or has characters that cannot be stored")
    ACCOUNT_INACTIVE = "account_inactive", _("the account is switched off")
    ACCOUNT_PRIVILEGED = "account_privileged", _("the account has rights beyond the school")
    ACCOUNT_GONE = "account_gone", _("the account was deleted during the sign-on")
    ID_IN_QUESTION = "id_in_question", _("the permanent ID may be another person's now")
    HOST_UNAVAILABLE = "host_unavailable", _("the learning platform did not answer")
    IDENTITY_CLASH = "identity_clash", _("the identity cannot be told from another account's")
    EMAIL_NEEDED = "email_needed", _("accounts are named by an e-mail address, and none is free for this person")
    CONNECTION_EXPIRED = "connection_expired", _("nothing waits to be connected")


@dataclass(frozen=True, slots=True)
class Origin:
    """Who changes something, through which entry point, and why. Every ledger entry of the call has it.

    `actor_id` is the host's user ID, or None if no person or service acted (a sweep). `request_id` is the caller's
    `X-Request-ID`, or one generated for the request.
    """

    source: str
    actor_id: int | None = None
    request_id: str = ""
    job_id: int | None = None
    reason: str = ""


class ProgramEnrollmentRequest(NamedTuple):
    """One row of a program write.

    `key` is the answer key, verbatim as sent; a missing identity is an empty string.
    """

    key: str
    student_key: str
    email: str
    status: str
    curriculum_uuid: UUID | None = None


class CourseEnrollmentRequest(NamedTuple):
    """One row of a course write. `course_staff` None leaves the role as it is."""

    key: str
    student_key: str
    email: str
    status: str
    course_staff: bool | None = None


class RowOutcome(NamedTuple):
    """The outcome of one row: the word for the answer, whether it is a good one, and the status before.

    `detail` is a sentence for people; it is empty if the row was written as requested. `changed` is true if the row
    changed anything that this app stores.
    """

    key: str
    word: str
    good: bool
    before: str | None = None
    detail: str = ""
    changed: bool = False


class Seat(NamedTuple):
    """A course enrollment as the host knows it."""

    user_id: int
    course_id: str
    mode: str
    is_active: bool


class HostFailure(NamedTuple):
    """Why the host did not do one thing. `permanent`: trying again will not help."""

    code: str
    detail: str
    permanent: bool


@dataclass(frozen=True, slots=True)
class Grade:
    """A final grade. `percent` is 0–1; `letter_grade` None if the host gives none (never blank)."""

    letter_grade: str | None
    percent: float
    passed: bool


@dataclass(frozen=True, slots=True)
class GradeUnavailable:
    """The host has no grade for a learner, and why: a sentence that is safe to show to the school."""

    error: str


@dataclass(frozen=True, slots=True)
class Attendance:
    """When and how much a learner took part in a course run.

    Dates are UTC days; `completion` is 0–1 or None.
    """

    first_attended: date | None = None
    last_attended: date | None = None
    days_attended: int = 0
    completion: float | None = None


@dataclass(frozen=True, slots=True)
class AttendanceUnavailable:
    """The host cannot report a learner's attendance, and why.

    A sentence that is safe to show to the school.
    """

    error: str


class DueDate(NamedTuple):
    """What a learner has to hand in next, and the last moment for it, with a time zone."""

    title: str
    due: datetime


@dataclass(frozen=True, slots=True)
class RealizingReport:
    """Numbers of the rows that one realizing wrote.

    `failures` counts course enrollments the host did not accept.
    """

    linked: int = 0
    program_enrollments: int = 0
    course_enrollments: int = 0
    failures: int = 0
    conflicts: int = 0

    def __add__(self, other: RealizingReport) -> RealizingReport:
        return RealizingReport(
            self.linked + other.linked,
            self.program_enrollments + other.program_enrollments,
            self.course_enrollments + other.course_enrollments,
            self.failures + other.failures,
            self.conflicts + other.conflicts,
        )


class Change(NamedTuple):
    """A ledger entry that has no position in a program's feed yet."""

    program_id: int | None
    learner_id: int
    student_key: str
    kind: str
    before: str | None = None
    after: str | None = None
    course_run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a keyset list: rows as plain dicts, and the cursors of its neighbours.

    A cursor is None at an end of the list.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    next_cursor: str | None = None
    previous_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class EnrollmentFilters:
    """Filters of the enrollment lists; None or empty means no filter.

    `student_keys` are as sent by the caller.
    """

    status: str | None = None
    account_exists: bool | None = None
    student_keys: tuple[str, ...] = ()
    modified_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LearnerFilters:
    """Filters of the console's lists of learners; None or empty means no filter.

    `words` is the beginning of a student ID or an address, or the whole username of an account. `course_id` is a course
    run of the program in which they are active; rosters, which are of one, have no such filter.
    """

    words: str = ""
    status: str | None = None
    state: str | None = None
    modified_since: datetime | None = None
    course_id: str | None = None
