"""Corrections that staff can make to a learner: account, student ID, conflict, another try."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.forms import AccountForm, OptionalReasonForm, ReasonForm
from program_enrollments.admin.messages import staff_origin, tell_realized
from program_enrollments.data import LearnerProblem
from program_enrollments.models import Learner
from program_enrollments.normalization import is_pseudonym


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One correction: the texts around its form, when it makes sense, and the function that makes it.

    `carry_out` gets the request, the learner's primary key and the form's cleaned data. It shows staff the outcome, and
    raises ProgramEnrollmentsError if the correction is refused.
    """

    name: str
    title: str | Promise
    button: str | Promise
    explanation: str | Promise
    form: type[forms.Form]
    makes_sense: Callable[[Learner], bool]
    carry_out: Callable[[HttpRequest, int, dict[str, Any]], None]


def _link(request: HttpRequest, learner_id: int, data: dict[str, Any]) -> None:
    origin = staff_origin(request=request, reason=data["reason"])
    report = api.link_learner(learner_id=learner_id, user_id=data["account"], origin=origin)
    messages.success(request, _("The learner is linked to this account."))
    tell_realized(request=request, report=report)


def _unlink(request: HttpRequest, learner_id: int, data: dict[str, Any]) -> None:
    api.unlink_learner(learner_id=learner_id, origin=staff_origin(request=request, reason=data["reason"]))
    messages.success(
        request,
        _("The learner is not linked any more. The enrollments wait for an account: link it once you know which."),
    )


def _settle(request: HttpRequest, learner_id: int, data: dict[str, Any]) -> None:
    origin = staff_origin(request=request, reason=data["reason"])
    if api.settle_conflict(learner_ids=[learner_id], origin=origin):
        messages.success(
            request,
            _("The conflict is settled. It comes back only if the other account signs in or confirms its address."),
        )
    else:
        messages.info(request, _("There was no conflict any more. Nothing was changed."))


def _release(request: HttpRequest, learner_id: int, data: dict[str, Any]) -> None:
    if api.release_learner(learner_id=learner_id, origin=staff_origin(request=request, reason=data["reason"])):
        messages.success(
            request, _("The student ID is released. The next person the school gives it to gets a record of their own.")
        )
    else:
        messages.info(request, _("This learner has no student ID to release. Nothing was changed."))


def _try_again(request: HttpRequest, learner_id: int, data: dict[str, Any]) -> None:
    origin = staff_origin(request=request, reason=data["reason"])
    tell_realized(request=request, report=api.try_again(learner_ids=[learner_id], origin=origin))


def _is_somebody(learner: Learner) -> bool:
    return learner.retired_at is None


CORRECTIONS = (
    Correction(
        name="link",
        title=gettext_lazy("Link to an account"),
        button=gettext_lazy("Link"),
        explanation=gettext_lazy(
            "Enrollments that wait for this learner's account become real at once. A learner who is linked to another "
            "account is unlinked from it first: seats and roles that this app gave that account are taken back."
        ),
        form=AccountForm,
        makes_sense=_is_somebody,
        carry_out=_link,
    ),
    Correction(
        name="unlink",
        title=gettext_lazy("Unlink from the account"),
        button=gettext_lazy("Unlink"),
        explanation=gettext_lazy(
            "Seats and roles that this app gave the account are taken back, and the enrollments wait for an account "
            "again. The account is not linked again by the same evidence, and the student ID does not sign in to it "
            "any more: link the right account when you know it."
        ),
        form=ReasonForm,
        makes_sense=lambda learner: learner.user_id is not None,
        carry_out=_unlink,
    ),
    Correction(
        name="settle",
        title=gettext_lazy("Settle the conflict"),
        button=gettext_lazy("Settle"),
        explanation=gettext_lazy(
            "Do this if the other account's claim is wrong. Nothing but the conflict changes. If the other account is "
            "the right one, link it instead. If the question is whether the student ID belongs to another person now, "
            "this says that it is the same person, and stores the new address."
        ),
        form=ReasonForm,
        makes_sense=lambda learner: (
            learner.problem_code in {LearnerProblem.CONFLICT, LearnerProblem.POSSIBLY_NEW_PERSON}
        ),
        carry_out=_settle,
    ),
    Correction(
        name="release",
        title=gettext_lazy("Release the student ID"),
        button=gettext_lazy("Release"),
        explanation=gettext_lazy(
            "Do this if the school has given this student ID to somebody else. This learner keeps their account and "
            "enrollments, under their e-mail address or a pseudonym. The ID does not sign in to their account any "
            "more; the next person who has it gets a record and an account of their own."
        ),
        form=ReasonForm,
        makes_sense=lambda learner: bool(
            _is_somebody(learner)
            and learner.student_key_normalized
            and learner.honored_for_id is None
            and not is_pseudonym(learner.student_key_normalized)
        ),
        carry_out=_release,
    ),
    Correction(
        name="try-again",
        title=gettext_lazy("Try again"),
        button=gettext_lazy("Try again"),
        explanation=gettext_lazy(
            "Looks again for the account of a learner who waits, and asks the learning platform once more for "
            "everything that is not real yet, also for what it refused too often. Remove the reason of a refusal first."
        ),
        form=OptionalReasonForm,
        makes_sense=_is_somebody,
        carry_out=_try_again,
    ),
)
