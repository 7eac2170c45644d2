"""Exceptions of whole calls, in one tree.

Failures of single rows are outcomes, not exceptions (see `data`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop as _

from program_enrollments.sentences import known, translated

SEVERAL_RUNS = known(_("Several course runs of this program carry this key: %(names)s. Name one by its course key."))
TOO_MANY = known(_("A call may hold at most %(limit)d rows, this one holds %(received)d. Send it in several calls."))


class ProgramEnrollmentsError(Exception):
    """Base of all exceptions that this app raises on purpose.

    `code` is a machine word that callers can rely on. `detail` is a sentence for people in English, without personal
    data; pages show `message`.
    """

    code = "error"
    detail = _("The request could not be carried out.")

    def __init__(self, detail: str | None = None, **extra: Any) -> None:
        self.detail = detail or self.detail
        self.extra = extra
        super().__init__(self.detail)

    @property
    def message(self) -> str:
        """The detail in the reader's language."""
        return translated(self.detail)

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException's method calls the class with `args`; classes with keyword-only arguments do not accept them.
        return _restore, (type(self), self.args), vars(self)


def _restore(cls: type[ProgramEnrollmentsError], args: tuple[Any, ...]) -> ProgramEnrollmentsError:
    return cls.__new__(cls, *args)


class DoesNotExist(ProgramEnrollmentsError):
    """The requested object does not exist, or the caller may not see it."""

    code = "not_found"
    detail = _("There is nothing here, or nothing that you may see.")


class ProgramDoesNotExist(DoesNotExist):
    """No program that the caller may see has this UUID."""

    code = "program_does_not_exist"
    detail = _("There is no program with this UUID that you have a grant on.")


class SchoolDoesNotExist(DoesNotExist):
    """No school that the caller may see has this key."""

    detail = _("There is no school with this key that you have a grant on.")


class IdentityProviderDoesNotExist(DoesNotExist):
    """No identity provider has this slug."""

    detail = _("There is no identity provider with this slug. Add it in the admin first.")


class CourseDoesNotExist(DoesNotExist):
    """No program that the caller may see has a course run with this key."""

    code = "course_does_not_exist"
    detail = _("No course run with this key is in a program that you have a grant on.")


class CourseNotInProgram(DoesNotExist):
    """The course run exists in another program that the caller may see."""

    code = "course_not_in_program"
    detail = _("This course run belongs to another program, not to this one.")


class AmbiguousCourse(ProgramEnrollmentsError):
    """Several course runs of the program carry the external key that was given.

    `candidates` are their course keys.
    """

    code = "ambiguous_course"

    def __init__(self, *, candidates: Sequence[str]) -> None:
        super().__init__(
            SEVERAL_RUNS % {"names": ", ".join(candidates)},
            candidates=list(candidates),
        )


class LearnerDoesNotExist(DoesNotExist):
    """No such learner in the program."""

    code = "learner_does_not_exist"
    detail = _("No learner with this student ID or e-mail address is in this program.")


class FreezeDoesNotExist(DoesNotExist):
    """No such version of a course run's frozen grades."""

    code = "freeze_does_not_exist"
    detail = _("The grades of this course run have no version with this number.")


class JobDoesNotExist(DoesNotExist):
    """No such job among those the caller may see."""

    code = "job_does_not_exist"
    detail = _("There is no job with this number that you may see.")


class PermissionDenied(ProgramEnrollmentsError):
    """The caller may see the object, but has no grant for this operation."""

    code = "permission_denied"
    detail = _("You may see this program, but you have no grant for this operation.")


class PermissionMissing(ProgramEnrollmentsError):
    """Django's permission to act for all schools is not in the database yet."""

    code = "permission_missing"
    detail = _("The permission to act for all schools is not in the database yet. Run `manage.py migrate` first.")


class TooManyRows(ProgramEnrollmentsError):
    """The call has more rows than MAX_ROWS allows."""

    code = "too_many_rows"

    def __init__(self, *, limit: int, received: int) -> None:
        super().__init__(
            TOO_MANY % {"limit": limit, "received": received},
            limit=limit,
            received=received,
        )


class InvalidFile(ProgramEnrollmentsError):
    """A file that cannot be read as a table.

    The detail describes the problem and the remedy; it never quotes the file.
    """

    code = "invalid_file"
    detail = _("The file cannot be read as a table. Save it as CSV in UTF-8 and try again.")


class FileIncomplete(ProgramEnrollmentsError):
    """A file that has another number of rows, or another digest, than its sender says."""

    code = "file_incomplete"


class DayIsOver(ProgramEnrollmentsError):
    """Something is to last until a day that is over already."""

    code = "invalid_parameter"


class ResultExpired(ProgramEnrollmentsError):
    """The file of a job was deleted, so its result can no longer be written."""

    code = "result_expired"
    detail = _("The job's file was deleted after its time, so there is no result file any more. The job itself stays.")


class WrongState(ProgramEnrollmentsError):
    """A job is not in a state in which this can be done."""

    code = "wrong_state"


class AlreadyUndone(WrongState):
    """A job was undone before, or is being undone."""

    code = "already_undone"
    detail = _("This job was undone already. To have it back, undo the undo; the field undone_by names it.")


class StaleEffects(ProgramEnrollmentsError):
    """The removals that somebody approves are not those that the job lists."""

    code = "stale_effects"
    detail = _("These are not the removals that the job would make. Read the job again, and look at what it lists.")


class BadCursor(ProgramEnrollmentsError):
    """A cursor that this list did not hand out."""

    code = "bad_cursor"
    detail = _("This cursor does not belong to this list. Start again without a cursor.")


class AlreadyFrozen(ProgramEnrollmentsError):
    """The grades are frozen already; they would have to be reopened first."""

    code = "already_frozen"
    detail = _("These grades are already frozen. Reopen them first if they have to change.")


class NotFrozen(ProgramEnrollmentsError):
    """The grades are not frozen, so they cannot be reopened."""

    code = "not_frozen"
    detail = _("These grades are not frozen, so there is nothing to reopen.")


class RequestInProgress(ProgramEnrollmentsError):
    """The first request with this idempotency key is still running."""

    code = "request_in_progress"
    detail = _("The first request with this Idempotency-Key still runs. Repeat yours in a while to get its answer.")


class IdempotencyKeyReused(ProgramEnrollmentsError):
    """The idempotency key was used for another request."""

    code = "idempotency_key_reused"
    detail = _("This Idempotency-Key was used with another path or body. Take a new key for every new request.")


class AccessRefused(ProgramEnrollmentsError):
    """Access cannot be given or taken like this; the detail says why."""

    code = "access_refused"


class InvitationDoesNotExist(DoesNotExist):
    """No invitation has this token, or it was used, withdrawn or has expired."""

    code = "invitation_does_not_exist"
    detail = _("This invitation does not exist, or it was used, withdrawn, or has expired. Ask for a new one.")


class MetadataRequestDoesNotExist(DoesNotExist):
    """No request for metadata has this token, or it was answered, closed or has expired."""

    code = "metadata_request_does_not_exist"
    detail = _("This link does not exist, or it was used or has expired. Ask for a new one.")


class LinkRefused(ProgramEnrollmentsError):
    """A learner cannot be linked to that account; the detail says why."""

    code = "link_refused"


class MetadataUnusable(ProgramEnrollmentsError):
    """An identity provider's metadata or certificate cannot be used.

    The detail has the reason, and what to request from the university.
    """

    code = "metadata_unusable"


class MetadataUnreachable(ProgramEnrollmentsError):
    """An identity provider's metadata cannot be fetched at the moment. Worth another try."""

    code = "metadata_unreachable"


class SignOnRefused(ProgramEnrollmentsError):
    """A sign-on is refused.

    `code` is one of `data.SignOnRefusal`; `slug` is the identity provider's, if it is known. `logged` is another such
    code, which only operators may see.
    """

    detail = _("The sign-on was refused.")

    def __init__(self, refusal: str, *, slug: str = "", logged: str = "") -> None:
        super().__init__()
        self.code = str(refusal)
        self.slug = slug
        self.logged = logged


class CatalogUnavailable(ProgramEnrollmentsError):
    """A source of the catalog cannot be read any further. Programs that were read before are kept."""

    code = "catalog_unavailable"


class HostError(ProgramEnrollmentsError):
    """The host failed to carry out a call. Another try may succeed."""

    code = "host_unavailable"
    detail = _("The learning platform could not do this just now.")


class HostAnswerUnusable(HostError):
    """The host's answer cannot be used. The log names the call and the field."""

    detail = _("The learning platform gave an answer that cannot be used. Its operators find the reason in the log.")


class HostDeadlinePassed(HostError):
    """The host's time is used up, so the call was not made."""

    detail = _("The learning platform took too long. What is missing is tried again later.")


class StorageUnavailable(HostError):
    """The storage that keeps schools' files cannot be written or read just now."""

    detail = _("The storage for files does not work just now. Nothing was done. Send the file again in a while.")


class WriteInterrupted(HostError):
    """The learning platform or the database went down in the middle of a bulk write.

    Chunks that were committed before stay. `committed` maps the answer keys of their rows to their words. All other
    rows were rolled back or never tried.
    """

    detail = _(
        "The learning platform or its database does not answer just now. The rows in `committed` stand, the others "
        "were not written. Send them again in a while."
    )

    def __init__(self, committed: dict[str, str]) -> None:
        super().__init__(committed=committed)
        self.committed = committed


class HostRefused(HostError):
    """The host refuses a call for good, for example because it has no such course run.

    Trying again does not help: a person has to look at it.
    """

    code = "host_refused"
    detail = _("The learning platform refused this.")


class WebhookRefused(ProgramEnrollmentsError):
    """No messages may be sent to this address. `detail` says why."""

    code = "webhook_refused"


class WebhookFailed(ProgramEnrollmentsError):
    """A message could not be delivered.

    `is_gone`: the receiver wants no more messages. `is_unreachable`: other messages would fail as well.
    """

    code = "webhook_failed"

    def __init__(self, detail: str, *, is_gone: bool = False, is_unreachable: bool = False) -> None:
        super().__init__(detail)
        self.is_gone, self.is_unreachable = is_gone, is_unreachable


class WebhookDoesNotExist(DoesNotExist):
    """The school has no such endpoint."""

    code = "webhook_does_not_exist"
    detail = _("There is no such endpoint.")


class FeedRefused(ProgramEnrollmentsError):
    """A feed cannot be set up like this.

    `detail` says why, `field` which part of it is meant.
    """

    code = "feed_refused"

    @property
    def field(self) -> str:
        """The name of the part that is meant, as forms have it."""
        return str(self.extra.get("field", ""))


class FeedDoesNotExist(DoesNotExist):
    """The school has no such feed."""

    code = "feed_does_not_exist"
    detail = _("There is no such feed.")


class SandboxRefused(ProgramEnrollmentsError):
    """A school cannot become or stop being one for practice, or is none. `detail` says why."""

    code = "sandbox_refused"


class ContactRefused(ProgramEnrollmentsError):
    """An address cannot be a contact of the school. `detail` says why."""

    code = "contact_refused"
