"""Messages for staff: the outcome of an action, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from program_enrollments.data import Origin, RealizingReport, RowOutcome, Source, Word


def staff_origin(*, request: HttpRequest, reason: str) -> Origin:
    """Return the origin of a change by the signed-in member of staff, for the ledger."""
    return Origin(source=Source.STAFF.value, actor_id=request.user.pk, reason=reason)


def tell_realized(*, request: HttpRequest, report: RealizingReport) -> None:
    """Show how many enrollments became real, and how many did not."""
    real = report.program_enrollments + report.course_enrollments
    if report.linked:
        text = ngettext("%(count)d learner was linked.", "%(count)d learners were linked.", report.linked)
        messages.success(request, text % {"count": report.linked})
    if real:
        text = ngettext("%(count)d enrollment became real.", "%(count)d enrollments became real.", real)
        messages.success(request, text % {"count": real})
    if report.failures:
        text = ngettext(
            "The learning platform refused %(count)d course enrollment. The reason is beside it: remove it, then try "
            "again.",
            "The learning platform refused %(count)d course enrollments. The reason is beside each: remove it, then "
            "try again.",
            report.failures,
        )
        messages.warning(request, text % {"count": report.failures})
    if report.conflicts:
        text = ngettext(
            "%(count)d learner is in conflict. Find out which account is theirs, then link it or settle the conflict.",
            "%(count)d learners are in conflict. Find out which accounts are theirs, then link them or settle the "
            "conflicts.",
            report.conflicts,
        )
        messages.warning(request, text % {"count": report.conflicts})
    if report == RealizingReport():
        messages.info(
            request, _("No enrollments are left to be made real, and no account was found for a learner who waits.")
        )


def tell_outcomes(*, request: HttpRequest, outcomes: Sequence[RowOutcome]) -> None:
    """Show how many enrollments changed, had the status already, or were refused, and why."""
    changed = sum(outcome.good and outcome.before != outcome.word for outcome in outcomes)
    same = sum(outcome.good and outcome.before == outcome.word for outcome in outcomes)
    if changed:
        text = ngettext(
            "The status of %(count)d enrollment changed.", "The status of %(count)d enrollments changed.", changed
        )
        messages.success(request, text % {"count": changed})
    if same:
        text = ngettext(
            "%(count)d enrollment has that status already.", "%(count)d enrollments have that status already.", same
        )
        messages.info(request, text % {"count": same})
    for word, count in sorted(Counter(outcome.word for outcome in outcomes if not outcome.good).items()):
        text = ngettext("%(count)d enrollment was not changed:", "%(count)d enrollments were not changed:", count)
        messages.error(request, f"{text % {'count': count}} {Word(word).label}")
    if not outcomes:
        messages.warning(request, _("These enrollments are not there any more. Nothing was changed."))
