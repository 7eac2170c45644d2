"""File words: what the console says about files and their lines, each problem with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from program_enrollments import api
from program_enrollments.console.wording import Text, status_label, step_label
from program_enrollments.data import REFUSING_WORDS, FileWord, JobKind, JobMode, JobState, RekeyWord, Word
from program_enrollments.sentences import translated

ACTIVE_STATES = frozenset({JobState.PENDING, JobState.CHECKING, JobState.RUNNING, JobState.WAITING})
"""States in which a page follows a file."""

STATE_TONES = {
    JobState.HELD.value: "wait",
    JobState.WAITING.value: "wait",
    JobState.SUCCEEDED.value: "good",
    JobState.FAILED.value: "bad",
    JobState.CANCELED.value: "quiet",
    JobState.SUPERSEDED.value: "quiet",
}
STATES: dict[str, Text] = {
    JobState.PENDING.value: gettext_lazy("waits for its turn"),
    JobState.CHECKING.value: gettext_lazy("being checked"),
    JobState.RUNNING.value: gettext_lazy("being applied"),
    JobState.HELD.value: gettext_lazy("held"),
    JobState.WAITING.value: gettext_lazy("waits for the platform"),
    JobState.SUCCEEDED.value: gettext_lazy("done"),
    JobState.FAILED.value: gettext_lazy("failed"),
    JobState.CANCELED.value: gettext_lazy("canceled"),
    JobState.SUPERSEDED.value: gettext_lazy("superseded"),
}
KINDS: dict[str, Text] = {
    JobKind.PROGRAM_ENROLLMENTS.value: gettext_lazy("Who is in the program"),
    JobKind.COURSE_ENROLLMENTS.value: gettext_lazy("Who is in its courses"),
}
ALL_KINDS: dict[str, Text] = {**KINDS, JobKind.STUDENT_KEYS.value: gettext_lazy("Student IDs of the school")}
MODES: dict[str, Text] = {
    JobMode.UPSERT.value: gettext_lazy("add and update"),
    JobMode.SNAPSHOT.value: gettext_lazy("snapshot of everybody who is present"),
}


class Remedy(NamedTuple):
    """What a word means, and what to do."""

    what: Text
    todo: Text


REMEDIES: dict[str, Remedy] = {
    FileWord.UNREADABLE.value: Remedy(
        gettext_lazy("cannot be read"),
        gettext_lazy(
            "The line has too few or too many fields, or a bad quotation mark. Correct it as its note says; values "
            "with a comma in them need quotation marks around them."
        ),
    ),
    Word.DUPLICATED.value: Remedy(
        gettext_lazy("named twice"),
        gettext_lazy(
            "Two lines name the same learner, so none of them was written. Keep the right one and delete the other. "
            "Capitals and blanks around an ID don't tell two learners apart."
        ),
    ),
    Word.INVALID_STATUS.value: Remedy(
        gettext_lazy("unknown status"),
        gettext_lazy(
            "Write the status exactly as one of: enrolled, pending, suspended, canceled, ended; in course files active "
            "or inactive. Course staff is true, false or blank."
        ),
    ),
    Word.INVALID_IDENTITY.value: Remedy(
        gettext_lazy("student ID or address cannot be used"),
        gettext_lazy(
            "The note says which of them and why. If ID and address belong to two learners, find out which is right; "
            "if the ID has changed, change it first, then send the line again."
        ),
    ),
    Word.INVALID_CURRICULUM.value: Remedy(
        gettext_lazy("wrong curriculum"),
        gettext_lazy(
            "The curriculum is none of this program, or is missing where it is needed. Copy its UUID from the page "
            "“Send a file”."
        ),
    ),
    FileWord.INVALID_COURSE.value: Remedy(
        gettext_lazy("unknown course"),
        gettext_lazy(
            "This program has no course run with the key, or several. Copy the platform's key from the page “Courses”."
        ),
    ),
    Word.CONFLICT.value: Remedy(
        gettext_lazy("in the course through another program"),
        gettext_lazy("Make the learner inactive in the course there first, then send the line again."),
    ),
    Word.NOT_IN_PROGRAM.value: Remedy(
        gettext_lazy("not in the program"),
        gettext_lazy("Send a file that puts the learner into the program first, then send the line again."),
    ),
    Word.NOT_FOUND.value: Remedy(
        gettext_lazy("not in the course"),
        gettext_lazy("There is no enrollment to end. If the learner should be there, send the line as active."),
    ),
    FileWord.CHANGED_SINCE.value: Remedy(
        gettext_lazy("changed by somebody else meanwhile"),
        gettext_lazy("Look at the learner's page. If the file is still right, send the line again."),
    ),
    RekeyWord.UNKNOWN.value: Remedy(
        gettext_lazy("nobody has the old ID"),
        gettext_lazy("Correct the old ID. If it was changed before, the learner is found under the new one."),
    ),
    RekeyWord.TAKEN.value: Remedy(
        gettext_lazy("the new ID is somebody else's"),
        gettext_lazy(
            "The note says why. If the other learner gets another ID as well, put both lines into one file; if they "
            "are one person, ask support to join them."
        ),
    ),
    RekeyWord.INVALID.value: Remedy(
        gettext_lazy("an ID that cannot be used"),
        gettext_lazy("The note says which one and why. Correct it, and send the line again."),
    ),
    Word.INTERNAL_ERROR.value: Remedy(
        gettext_lazy("failed unexpectedly"),
        gettext_lazy("Nothing is wrong with the line. Send it again; if it stays so, give support the file's number."),
    ),
}


UNDO_TODOS: dict[str, Text] = {
    FileWord.CHANGED_SINCE.value: gettext_lazy(
        "Look at the learner's page: what was changed after the file stays. Change by hand what should be otherwise."
    ),
    Word.CONFLICT.value: gettext_lazy(
        "Make the learner inactive in the course through the other program first, then change the status by hand."
    ),
    Word.INTERNAL_ERROR.value: gettext_lazy("Nothing is wrong with the enrollment. Change it by hand, or ask support."),
}
"""What to do about a row that an undo left as it is, where that differs from what is said of files."""


class Problem(NamedTuple):
    """A word that refused lines: how many, what it means, and what to do."""

    word: str
    lines: int
    what: Text
    todo: Text


def problems_of(counts: Mapping[str, int], *, is_undo: bool = False) -> list[Problem]:
    """Return the problems among a job's counts, the most frequent one first."""
    todos = UNDO_TODOS if is_undo else {}
    found = [
        Problem(word, counts[word], remedy.what, todos.get(word, remedy.todo))
        for word, remedy in REMEDIES.items()
        if counts.get(word)
    ]
    return sorted(found, key=lambda problem: -problem.lines)


def word_label(word: str) -> str:
    """Return a word of a line as people read it."""
    if word == FileWord.LEFT:
        return _("left, because no line names them")
    if word == FileWord.KEPT:
        return _("left alone, because marked to keep")
    if word == RekeyWord.RENAMED:
        return _("got the new ID")
    if word == RekeyWord.RELEASED:
        return _("released for somebody else")
    if word == FileWord.DELETED:
        return _("not enrolled any more")
    return str(REMEDIES[word].what) if word in REMEDIES else status_label(word)


def word_choices(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return the words of a job for a filter, problems first."""
    ordered = sorted(words, key=lambda word: (word not in REFUSING_WORDS, word))
    return [(word, word_label(word)) for word in ordered]


def row_text(row: Mapping[str, Any]) -> str:
    """Return what becomes of a line, or of somebody whom no line names."""
    word, before, after = row["word"], status_label(row["before"]), status_label(row["after"])
    if word in REFUSING_WORDS:
        return str(REMEDIES[word].what)
    if word == FileWord.KEPT:
        return _("stays %(status)s: marked to keep") % {"status": after}
    if word == FileWord.DELETED:
        after = word_label(word)
    if not row["changed"]:
        return _("stays %(status)s") % {"status": after or before}
    if not before:
        return _("new: %(status)s") % {"status": after}
    if before == after:
        return _("%(status)s, details updated") % {"status": after}
    return step_label(before, after)


def rekey_text(row: Mapping[str, Any]) -> str:
    """Return what becomes of a line of student IDs."""
    if row["word"] == RekeyWord.RENAMED:
        return _("becomes %(student_key)s") % {"student_key": row["after"]}
    return word_label(row["word"])


def row_note(row: Mapping[str, Any]) -> Text:
    """Return the reason beside a line: its own, or what its word means."""
    if row["detail"]:
        return translated(row["detail"])
    if row["word"] == FileWord.LEFT:
        return _("No line of the file names this learner.")
    return REMEDIES[row["word"]].todo if row["word"] in REMEDIES else ""


def row_tone(row: Mapping[str, Any]) -> str:
    """Return the tone of a line."""
    if row["word"] in REFUSING_WORDS:
        return "bad"
    if row["word"] == FileWord.LEFT:
        return "wait"
    return "good" if row["changed"] else "quiet"


def state_label(job: api.Job) -> str:
    """Return where a job stands, in a few words."""
    if job.dry_run and job.state == JobState.RUNNING:
        return _("being worked out")
    if job.dry_run and job.state == JobState.SUCCEEDED:
        return _("preview")
    return str(STATES.get(job.state, job.state))


def state_tone(job: api.Job) -> str:
    """Return the tone of where a job stands; a finished preview is nothing good yet."""
    return "quiet" if job.dry_run and job.state == JobState.SUCCEEDED else STATE_TONES.get(job.state, "")


def job_title(job: api.Job) -> str:
    """Return what a file is called, or the undo of one."""
    if job.undoes_id is None:
        return job.file_name or _("File %(number)d") % {"number": job.pk}
    if job.file_name:
        return _("Undo of no. %(number)d, %(name)s") % {"number": job.undoes_id, "name": job.file_name}
    return _("Undo of no. %(number)d") % {"number": job.undoes_id}


def mode_label(job: api.Job) -> str:
    """Return how a file is meant."""
    return str(MODES[job.mode]) if job.undoes_id is None else _("undo")


def tell_job(job: api.Job) -> str:
    """Return a job in one or two sentences: what happens, and what was written so far."""
    state = job.state
    if job.undoes_id is not None and state in UNDO_SENTENCES:
        return _tell_undo(job)
    if state == JobState.SUCCEEDED:
        return _("This is a preview: nothing has been written yet.") if job.dry_run else _tell_result(job)
    if state == JobState.FAILED:
        return (
            _("The file could not be done.") if job.changed else _("The file could not be done. Nothing was written.")
        )
    if state == JobState.WAITING:
        return _("The platform does not answer just now. The file goes on by itself. Nothing is lost.")
    sentences: dict[str, Text] = {
        JobState.PENDING.value: gettext_lazy("The file waits for its turn. It starts by itself."),
        JobState.CHECKING.value: gettext_lazy(
            "The file is being read and compared with what is stored. Nothing is written meanwhile."
        ),
        JobState.RUNNING.value: gettext_lazy("What would happen is being worked out. Nothing is written.")
        if job.dry_run
        else gettext_lazy("The file is being applied. You may leave this page: it goes on."),
        JobState.HELD.value: gettext_lazy("The file waits for a decision. Nothing has been written."),
        JobState.CANCELED.value: gettext_lazy("The file was canceled."),
        JobState.SUPERSEDED.value: gettext_lazy("A newer snapshot took this one's place. Nothing was written."),
    }
    return str(sentences.get(state, ""))


UNDO_SENTENCES: dict[str, tuple[Text, Text]] = {
    JobState.PENDING.value: (gettext_lazy("The undo waits for its turn. It starts by itself."),) * 2,
    JobState.CHECKING.value: (gettext_lazy("What the file changed is being looked up. Nothing is written meanwhile."),)
    * 2,
    JobState.RUNNING.value: (
        gettext_lazy("What the file changed is being put back. You may leave this page: it goes on."),
        gettext_lazy("What would come back is being worked out. Nothing is written."),
    ),
    JobState.SUCCEEDED.value: (
        gettext_lazy("Everything was put back as it was before the file."),
        gettext_lazy("This is a preview: nothing has been put back yet."),
    ),
    JobState.CANCELED.value: (gettext_lazy("The undo was canceled."),) * 2,
}
"""What is said of an undo by its state: of a real one, and of its preview."""


def _tell_undo(job: api.Job) -> str:
    if job.dry_run or not job.refused or job.state != JobState.SUCCEEDED:
        return str(UNDO_SENTENCES[job.state][job.dry_run])
    text = ngettext(
        "%(count)d line was left as it is; the others were put back.",
        "%(count)d lines were left as they are; the others were put back.",
        job.refused,
    )
    return text % {"count": job.refused}


def _tell_result(job: api.Job) -> str:
    if not job.refused:
        return _("All lines were done.")
    text = ngettext(
        "%(count)d line was refused; the others were done.",
        "%(count)d lines were refused; the others were done.",
        job.refused,
    )
    return text % {"count": job.refused}


def tell_numbers(job: api.Job) -> str:
    """Return what a job did, or would do, in a line of a list."""
    if job.state == JobState.HELD:
        text = ngettext("would remove %(count)d learner", "would remove %(count)d learners", job.removals)
        return text % {"count": job.removals}
    if job.state in ACTIVE_STATES:
        return _("%(done)d of %(total)d lines") % {"done": job.done, "total": job.total} if job.total else ""
    if not (job.changed or job.refused or job.unchanged):
        return ""
    parts = [_("%(count)d changed") % {"count": job.changed}]
    if job.refused:
        parts.append(_("%(count)d refused") % {"count": job.refused})
    parts.append(_("%(count)d unchanged") % {"count": job.unchanged})
    return ", ".join(parts)


def tell_progress(job: api.Job) -> str:
    """Return how far a job has come, in tenths: what a screen reader says each time that it differs."""
    label = state_label(job)
    if job.state == JobState.RUNNING and job.total:
        return _("%(state)s: %(percent)d %%") % {"state": label, "percent": 10 * (10 * job.done // job.total)}
    if job.state == JobState.WAITING and job.next_try:
        at = date_format(timezone.localtime(job.next_try), "H:i")
        return _("%(state)s; tries again at %(at)s") % {"state": label, "at": at}
    return label
