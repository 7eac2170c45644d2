"""Open problems on the index of the admin: a number per kind, each with a link to its list."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from program_enrollments import api
from program_enrollments.admin.filters import NeedsPersonFilter
from program_enrollments.admin.pages import may_view
from program_enrollments.data import JobState
from program_enrollments.models import IdentityProvider, Job, Learner


class PresentedProblem(NamedTuple):
    """A kind of open problem, how many there are as people read it, and the address of their list."""

    label: str
    number: str
    url: str


LISTS: dict[api.OpenProblem, tuple[type[Model], dict[str, str]]] = {
    **{
        kind: (Learner, {NeedsPersonFilter.parameter_name: kind.value})
        for kind in (
            api.OpenProblem.CONFLICT,
            api.OpenProblem.POSSIBLY_NEW_PERSON,
            api.OpenProblem.REALIZING_FAILED,
            api.OpenProblem.REFUSED,
        )
    },
    api.OpenProblem.HELD_JOB: (Job, {"state__exact": JobState.HELD.value}),
    api.OpenProblem.PROPOSED_METADATA: (IdentityProvider, {}),
}


def present_open_problems(request: HttpRequest) -> list[PresentedProblem]:
    """Return the kinds of open problems of which there are any, and which the viewer may see."""
    kinds = [kind for kind, (model, _query) in LISTS.items() if may_view(admin.site, request, model)]
    counts = api.count_open_problems(kinds=kinds)
    return [
        PresentedProblem(
            str(kind.label), str(count) if count <= api.MAX_COUNTED else f"{api.MAX_COUNTED}+", _list_of(kind)
        )
        for kind, count in counts.items()
        if count
    ]


def _list_of(kind: api.OpenProblem) -> str:
    model, query = LISTS[kind]
    options = model._meta
    try:
        url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url
