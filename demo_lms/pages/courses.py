"""The page of a course run. Looking at it is what counts as attending."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Max
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from demo_lms.models import CourseAccessRole, CourseEnrollment, CourseGrade, CourseRun, DailyActivity
from demo_lms.models.primary import rows_of
from program_enrollments.sql.bulk import insert_rows


@never_cache
@require_GET
def course(request: HttpRequest, course_id: str) -> HttpResponse:
    """Show a course run; for a learner who has a seat in it, record that they were here today."""
    run = get_object_or_404(rows_of(CourseRun), pk=course_id)
    # Nobody in particular has no primary key, and so no seat.
    seat = rows_of(CourseEnrollment).filter(user=request.user.pk, course_run=run, is_active=True).first()
    context: dict[str, Any] = {"run": run, "seat": seat}
    if seat is not None:
        of_learner = {"user": seat.user_id, "course_run": run}
        context |= {
            "units_done": record_visit(user_id=seat.user_id, run=run, day=_today()),
            "is_staff": rows_of(CourseAccessRole).filter(**of_learner, role=CourseAccessRole.STAFF).exists(),
            "days": rows_of(DailyActivity).filter(**of_learner).count(),
        }
    return render(request, "demo_lms/course.html", context)


@login_required
@require_POST
def finish_unit(request: HttpRequest, course_id: str) -> HttpResponse:
    """Record that the learner finished one more unit today."""
    run = get_object_or_404(rows_of(CourseRun), pk=course_id)
    seat = get_object_or_404(rows_of(CourseEnrollment), user=request.user.pk, course_run=run, is_active=True)
    today = _today()
    record_visit(user_id=seat.user_id, run=run, day=today)
    rows_of(DailyActivity).filter(user=seat.user_id, course_run=run, day=today).update(
        units_done=Least(F("units_done") + 1, run.units)
    )
    messages.success(request, _("One more unit done."))
    return redirect("course", course_id=run.course_id)


@login_required
@never_cache
@require_GET
def certificate(request: HttpRequest, course_id: str) -> HttpResponse:
    """Show the learner's certificate of a course run that is over, and that they passed."""
    passed = rows_of(CourseGrade).filter(passed=True, course_run__end__lte=timezone.now()).select_related("course_run")
    grade = get_object_or_404(passed, user=request.user.pk, course_run=course_id)
    return render(request, "demo_lms/certificate.html", {"grade": grade})


def record_visit(*, user_id: int, run: CourseRun, day: date) -> int:
    """Record that the user was in the course run on a day (UTC); return the number of units they have done so far."""
    done: int = (
        rows_of(DailyActivity).filter(user=user_id, course_run=run).aggregate(done=Max("units_done"))["done"] or 0
    )
    insert_rows(
        DailyActivity,
        fields=["user", "course_run", "day", "units_done"],
        rows=[(user_id, run.pk, day, done)],
        unique=["user", "course_run", "day"],
    )
    return done


def _today() -> date:
    """Return the present day in UTC."""
    return timezone.now().date()
