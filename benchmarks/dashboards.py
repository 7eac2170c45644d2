"""Pages of the dashboard, in the stand's process: from the request to the finished page."""

from __future__ import annotations

from typing import Any

from benchmarks.sampling import Sample, measure

PAGES = ("all", "program", "own-data")


def find_learners() -> list[tuple[int, str]]:
    """Return the user ID of the first, a middle and the last learner with an account, and a program of each."""
    from django.db.models import Max, Min  # noqa: PLC0415  (needs the stand's settings)

    from program_enrollments.models import ProgramEnrollment  # noqa: PLC0415

    enrollments = ProgramEnrollment.objects.order_by("pk")
    ends = enrollments.aggregate(first=Min("pk"), last=Max("pk"))
    found = []
    for pk in (ends["first"], (ends["first"] + ends["last"]) // 2, ends["last"]):
        enrollment: Any = enrollments.filter(pk__gte=pk).select_related("learner", "program").first()
        found.append((enrollment.learner.user_id, str(enrollment.program.uuid)))
    return found


def open_page(name: str, user_id: int, program: str) -> Sample:
    """A page of the dashboard, the account being known already."""
    from django.contrib.auth import get_user_model  # noqa: PLC0415  (needs the stand's settings)
    from django.test import RequestFactory  # noqa: PLC0415
    from django.urls import resolve, reverse  # noqa: PLC0415

    path = reverse(f"dashboard:{name}", args=[program] if name == "program" else [])
    match = resolve(path)
    request: Any = RequestFactory(SERVER_NAME="127.0.0.1").get(path)
    request.user = get_user_model()._default_manager.get(pk=user_id)
    responses: list[Any] = []
    sample = measure(lambda: responses.append(match.func(request, *match.args, **match.kwargs)))
    if responses[0].status_code != 200:
        raise RuntimeError(f"{path} answered {responses[0].status_code}.")
    return sample
