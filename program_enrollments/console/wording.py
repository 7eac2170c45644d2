"""Wording: what the console says about learners and changes, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments.data import (
    ChangeKind,
    CourseStatus,
    LearnerProblem,
    LearnerState,
    LinkHow,
    LinkState,
    ProgramStatus,
    RowOutcome,
    Source,
    Word,
)
from program_enrollments.sentences import translated

Text = str | Promise
STATUS_TONES = {
    ProgramStatus.ENROLLED.value: "good",
    ProgramStatus.PENDING.value: "wait",
    ProgramStatus.SUSPENDED.value: "bad",
    ProgramStatus.CANCELED.value: "quiet",
    ProgramStatus.ENDED.value: "quiet",
    CourseStatus.ACTIVE.value: "good",
    CourseStatus.INACTIVE.value: "quiet",
}
STATE_TONES = {
    LearnerState.IN.value: "good",
    LearnerState.WAITING.value: "wait",
    LearnerState.HELP.value: "bad",
    LearnerState.NONE.value: "quiet",
}
PROBLEMS: dict[str, Text] = {
    LearnerProblem.CONFLICT.value: gettext_lazy("Two accounts claim this learner."),
    LearnerProblem.REALIZING_FAILED.value: gettext_lazy("The enrollments could not be made real yet."),
    LearnerProblem.POSSIBLY_NEW_PERSON.value: gettext_lazy("The student ID may be another person's now."),
    "refused": gettext_lazy("The platform refused a seat in a course."),
}
_REFUSALS: dict[str, Text] = {
    Word.CONFLICT.value: gettext_lazy("Is here already, and was left as is."),
    Word.NOT_IN_PROGRAM.value: gettext_lazy("Is not in the program yet. Add the learner to the program first."),
    Word.NOT_FOUND.value: gettext_lazy("Is not in this course. Add the learner to the course first."),
    Word.INVALID_CURRICULUM.value: gettext_lazy("Choose one of the program's curricula."),
    Word.DUPLICATED.value: gettext_lazy("Two lines name this learner. Keep one of them."),
}
CHANGES: dict[str, Text] = {
    ChangeKind.PROGRAM_ENROLLMENT.value: gettext_lazy("Status in the program"),
    ChangeKind.PROGRAM_CURRICULUM.value: gettext_lazy("Curriculum"),
    ChangeKind.PROGRAM_REALIZED.value: gettext_lazy("The account appeared: in the program"),
    ChangeKind.PROGRAM_PROMISED.value: gettext_lazy("Waits for an account again: program"),
    ChangeKind.COURSE_ENROLLMENT.value: gettext_lazy("Status in the course"),
    ChangeKind.COURSE_REALIZED.value: gettext_lazy("The platform gave a seat in the course"),
    ChangeKind.COURSE_PROMISED.value: gettext_lazy("Waits for an account again: course"),
    ChangeKind.COURSE_STAFF.value: gettext_lazy("Course staff role"),
    ChangeKind.LINK.value: gettext_lazy("Link to an account"),
    ChangeKind.STUDENT_KEY.value: gettext_lazy("Student ID"),
    ChangeKind.EMAIL.value: gettext_lazy("E-mail address"),
}


def status_label(status: str | None) -> str:
    """Return a status as people read it; words of former versions stay as they are."""
    for statuses in (ProgramStatus, CourseStatus):
        if status in statuses.values:
            return str(statuses(status).label)
    return status or ""


def state_label(state: str) -> str:
    """Return where a learner stands."""
    return str(LearnerState(state).label)


def change_label(kind: str) -> Text:
    """Return what a ledger entry is about."""
    return CHANGES.get(kind) or (ChangeKind(kind).label if kind in ChangeKind.values else kind)


def step_label(before: str, after: str) -> str:
    """Return a step from one status to another; languages from right to left turn the arrow around."""
    return _("%(before)s → %(after)s") % {"before": before, "after": after}


def change_steps(change: Mapping[str, Any]) -> str:
    """Return what an entry changed, such as “enrolled → suspended”."""
    if change["kind"] in NO_STEPS:
        return ""
    before, after = (_value(change["kind"], change[name]) for name in ("before", "after"))
    if before and after and before != after:
        return step_label(before, after)
    return after or (_("%(before)s → nothing") % {"before": before} if before else "")


def _value(kind: str, value: str | None) -> str:
    """Return what was before or after a change, in words."""
    if kind == ChangeKind.COURSE_STAFF:
        return {"true": _("yes"), "false": _("no")}.get(value or "", value or "")
    if kind in {ChangeKind.LINK, ChangeKind.CONFLICT}:
        # The ledger has the evidence and the key of an account, which says nothing to people.
        how = (value or "").partition(":")[0]
        return str(LinkHow(how).label) if how in LinkHow.values else ""
    return status_label(value)


def change_text(change: Mapping[str, Any]) -> str:
    """Return an entry in one line: what it is about, and what it changed."""
    label, steps = str(change_label(change["kind"])), change_steps(change)
    return f"{label}: {steps}" if steps else label


def change_origin(change: Mapping[str, Any]) -> str:
    """Return who changed something, and through which door."""
    source = str(Source(change["source"]).label) if change["source"] in Source.values else change["source"]
    return f"{source}, {change['actor']}" if change["actor"] else source


def outcome_text(outcome: RowOutcome) -> str:
    """Return what becomes of a row: the change, that there is none, or why it is refused."""
    if not outcome.good:
        return str(_REFUSALS.get(outcome.word) or translated(outcome.detail))
    after, before = status_label(outcome.word), status_label(outcome.before)
    if not outcome.changed:
        text = _("stays %(status)s") % {"status": after}
    elif outcome.before is None:
        text = _("new: %(status)s") % {"status": after}
    elif before == after:
        text = _("%(status)s, details updated") % {"status": after}
    else:
        text = step_label(before, after)
    return f"{text}. {translated(outcome.detail)}" if outcome.detail else text


def outcome_tone(outcome: RowOutcome) -> str:
    """Return the tone of what becomes of a row."""
    return ("good" if outcome.changed else "quiet") if outcome.good else "bad"


NO_STEPS = frozenset(
    {
        ChangeKind.PROGRAM_REALIZED,
        ChangeKind.PROGRAM_PROMISED,
        ChangeKind.COURSE_REALIZED,
        ChangeKind.COURSE_PROMISED,
    }
)
"""Changes whose label says all; what the ledger has before and after them are words of programmers."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a learner's way into the courses: done, wait or bad, and why."""

    title: Text
    tone: str
    reason: Text


@dataclass(frozen=True, slots=True)
class LearnerStory:
    """A learner in words: one sentence, what to do, and the four steps."""

    sentence: str
    advice: str
    tone: str
    steps: list[Step]
    is_to_be_written_to: bool


def tell_learner(learner: Mapping[str, Any], *, is_practice: bool = False) -> LearnerStory:
    """Return a learner of `api.get_learner` in words; nobody writes to those of schools for practice."""
    link, enrollment = learner["link"], learner["program_enrollment"]
    key, status = learner["student_key"], (enrollment or {}).get("status")
    refused = [course for course in learner["course_enrollments"] if course["problem"]]
    linked = link["state"] == LinkState.LINKED
    if learner["problem"]:
        sentence = _("%(key)s needs help: %(problem)s") % {
            "key": key,
            "problem": str(PROBLEMS.get(learner["problem"], translated(link["detail"]))),
        }
        advice, tone = translated(link["detail"] or ""), "bad"
    elif refused and linked:
        sentence = _("%(key)s has an account, but the platform refused a seat in a course.") % {"key": key}
        advice, tone = _("See the reason beside the course below. It is tried again after it is mended."), "bad"
    elif not linked:
        sentence = _("%(key)s is %(status)s, but has not signed in yet.") % {
            "key": key,
            "status": status_label(status) or _("in a course"),
        }
        advice = _("Nothing is wrong. As soon as the learner signs in, the courses are there. Send them this message:")
        if is_practice:
            advice = _("Nothing is wrong. This school is for practice, so nobody is linked to an account here.")
        tone = "wait"
    else:
        sentence = _("%(key)s is %(status)s and has an account.") % {
            "key": key,
            "status": status_label(status) or _("in a course"),
        }
        advice, tone = _("Nothing to do."), "good"
    steps = _steps(learner, refused=len(refused))
    return LearnerStory(sentence, advice, tone, steps, is_to_be_written_to=tone == "wait" and not is_practice)


def _steps(learner: Mapping[str, Any], *, refused: int) -> list[Step]:
    link = learner["link"]
    linked, conflict = link["state"] == LinkState.LINKED, link["state"] == LinkState.CONFLICT
    active = [course for course in learner["course_enrollments"] if course["status"] == CourseStatus.ACTIVE]
    seated = [course for course in active if course["real"]]
    how = str(LinkHow(link["how"]).label) if link["how"] else ""
    sent = Step(_("Sent"), "done", _("The university enrolled the learner."))
    if linked or learner["username"]:
        signed_in = Step(_("Signed in"), "done", _("Account: %(name)s") % {"name": learner["username"]})
    else:
        signed_in = Step(_("Signed in"), "wait", translated(link["detail"] or "") or _("Not yet."))
    if linked:
        joined = Step(_("Linked"), "done", _("Known by %(how)s.") % {"how": how})
    else:
        reason = _("Two accounts claim this learner.") if conflict else _("Happens at the first sign-in, by itself.")
        joined = Step(_("Linked"), "bad" if conflict else "wait", reason)
    if not active:
        seat = Step(_("In the courses"), "wait", _("The learner is in no course yet."))
    else:
        text = _("%(seated)d of %(active)d courses") % {"seated": len(seated), "active": len(active)}
        tone = "done" if len(seated) == len(active) else "bad" if refused and linked else "wait"
        seat = Step(_("In the courses"), tone, text)
    return [sent, signed_in, joined, seat]


def host_seat(course: Mapping[str, Any]) -> str:
    """Return what the platform says of a seat."""
    seat = course["host"]
    if seat is None:
        return _("no seat yet") if course["status"] == CourseStatus.ACTIVE else _("no seat")
    return (_("seat, %(mode)s") if seat["is_active"] else _("seat switched off, %(mode)s")) % {"mode": seat["mode"]}
