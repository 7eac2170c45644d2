"""Why a row was refused, in a sentence for people that names the cause and what to do next."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

from program_enrollments.api.learners.email_domains import is_within_domains
from program_enrollments.api.learners.identity import EnrollmentRequest
from program_enrollments.data import CourseEnrollmentRequest, CourseStatus, ProgramStatus, RowOutcome, Word
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, is_email, is_pseudonym, normalize_identity


def explain(*, row: EnrollmentRequest, outcome: RowOutcome, domains: Collection[str]) -> RowOutcome:
    """Return the outcome with a sentence, unless it has one or needs none. `domains` are the school's."""
    if outcome.good or outcome.detail:
        return outcome
    return outcome._replace(detail=_sentence(row, outcome.word, domains))


def _sentence(row: EnrollmentRequest, word: str, domains: Collection[str]) -> str:
    if word == Word.INVALID_IDENTITY:
        return _identity_problem(row, domains)
    if word == Word.INVALID_STATUS:
        words = CourseStatus.values if isinstance(row, CourseEnrollmentRequest) else ProgramStatus.values
        return _("The status must be one of %(words)s.") % {"words": ", ".join(words)}
    if word == Word.CONFLICT and isinstance(row, CourseEnrollmentRequest):
        return _(
            "The learner is in this course run already, or active in it through another program. Use PUT or PATCH to "
            "change an enrollment; make the other one inactive first."
        )
    sentences = {
        Word.DUPLICATED.value: _("Two rows name this learner or have the same key. Send one row per learner."),
        Word.INVALID_CURRICULUM.value: _(
            "The program has no such curriculum, or none was named for a new enrollment although the program has not "
            "exactly one that is active. Name one of the program's curricula."
        ),
        Word.CONFLICT.value: _("The learner is in this program already. Use PUT or PATCH to change the enrollment."),
        Word.NOT_IN_PROGRAM.value: _("The learner is not in this program. Enroll them in the program first."),
        Word.NOT_FOUND.value: _("The learner is not in this course run. Use PUT or POST to enroll them."),
    }
    fallback = _("This row failed although nothing is wrong with it. Send it again; if it stays so, tell support.")
    return sentences.get(word, fallback)


def _identity_problem(row: EnrollmentRequest, domains: Collection[str]) -> str:
    """Name what is wrong with a row's identity, as far as the row alone tells; else it is what is stored."""
    key, email = normalize_identity(row.student_key), normalize_identity(row.email)
    if not key and not email:
        return _("The row has neither a student ID nor an e-mail address that can be seen.")
    if max(map(len, (row.student_key, row.email, key, email))) > MAX_IDENTITY_LENGTH:
        return _("A student ID or e-mail address has at most %(limit)d characters.") % {"limit": MAX_IDENTITY_LENGTH}
    if is_pseudonym(key):
        return _("This ID was made up by the platform for a learner whose own ID is gone; nobody can be named by it.")
    if email and not is_email(email):
        return _("This is no e-mail address.")
    if email and not is_within_domains(email_normalized=email, domains=domains):
        return _("The address is in none of the school's e-mail domains.")
    return _(
        "The student ID and the address belong to two different learners, or the address replaced one by which the "
        "learner was linked to an account. Look both up, and send what belongs together."
    )
