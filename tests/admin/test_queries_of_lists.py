"""What may stand in the address of a list: its own filters. Anything else is refused, and never a failure."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model

from program_enrollments.models import (
    Grant,
    Learner,
    LedgerEntry,
    LedgerPosition,
    Program,
    ProgramEnrollment,
    School,
)
from tests.admin.conftest import Desk, url_of
from tests.admin.test_every_model import MAKERS, by_model
from tests.factories.enrollment import GrantFactory, ProgramEnrollmentFactory

HUGE = "9" * 5000
VALUES = ["(", "99999", "-1", "\x00", "", HUGE, "٣", "a,b"]
LOOKUPS = {"regex": "(", "gt": "\x00", "in": "1,x", "isnull": "x", "contains": "a", "year": "99999", "nonsense": ""}


# What Django asks the database after all is the same for each.
@pytest.mark.once
@by_model
def test_lookups_that_are_no_filter_of_the_list_are_400(model: type[Model], desk: Desk) -> None:
    MAKERS[model]()
    # Of what the list filters by, Django itself takes a few lookups.
    filtered = admin.site.get_model_admin(model).list_filter
    # Which lookups are filters does not depend on the model: two for each field, in turn.
    lookups = cycle(LOOKUPS.items())
    for field in model._meta.fields:
        if field.is_relation or field.name in filtered:
            continue
        for lookup, value in (next(lookups), next(lookups)):
            assert desk.get(url_of(model), **{f"{field.name}__{lookup}": value}).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"kind__regex": "("},
        {"at__year": "99999"},
        {"learner__student_key__regex": "("},
        {"program__school__key__contains": "a"},
        {"id__in": "1,x"},
    ],
)
def test_such_as_these_on_the_ledger(query: dict[str, str], desk: Desk) -> None:
    MAKERS[LedgerEntry]()
    assert desk.get(url_of(LedgerEntry), **query).status == 400


def ask_nonsense(model: type[Model], desk: Desk, *names: str) -> None:
    MAKERS[model]()
    for name in names:
        for value in VALUES:
            # 302 is Django's own way to say that a filter cannot be used.
            assert desk.get(url_of(model), **{name: value}).status in {200, 302, 400}, (name, value[:20])


@by_model
def test_nonsense_in_the_lists_own_parameters_is_no_failure(model: type[Model], desk: Desk) -> None:
    filters: Any = admin.site._registry[model].list_filter
    own = [item.parameter_name for item in filters if hasattr(item, "parameter_name")]
    ask_nonsense(model, desk, "q", *own, *(["permission__exact", "school__id__exact"] if model is Grant else []))


# Django reads these itself: the database never sees them, and the model doesn't matter. One of each kind of list.
@pytest.mark.once
@pytest.mark.parametrize(
    "model",
    [Grant, Learner, LedgerEntry, LedgerPosition, Program, ProgramEnrollment, School],
    ids=lambda model: model.__name__,
)
def test_nonsense_in_djangos_own_parameters_is_no_failure(model: type[Model], desk: Desk) -> None:
    ask_nonsense(model, desk, "p", "o", "_to_field")


def test_the_filters_of_a_list_still_work(desk: Desk) -> None:
    grant = GrantFactory(permission="metadata")
    GrantFactory(permission="read_reports")
    for query in ({"permission__exact": "metadata"}, {"school__id__exact": str(grant.school.pk)}):
        assert len(desk.get(url_of(Grant), **query).rows()) == 1
    enrollment = ProgramEnrollmentFactory()
    ProgramEnrollmentFactory()
    query = {"program": str(enrollment.program.pk), "status": "enrolled"}
    assert len(desk.get(url_of(ProgramEnrollment), **query).rows()) == 1


def test_every_filter_that_a_list_offers_leads_to_a_list(desk: Desk) -> None:
    for model, make in MAKERS.items():
        make()
        page = desk.get(url_of(model), school="1")
        links = page.tree.xpath('//*[@id="changelist-filter"]//a/@href')
        for link in links:
            assert desk.get(url_of(model) + link).status == 200, (model, link)


@pytest.mark.parametrize("key", ["0", "-1", "x", "1.5", HUGE[:30], HUGE, "%00", "1,502"])
def test_a_page_of_a_row_that_cannot_be_leads_away_or_nowhere(key: str, desk: Desk) -> None:
    responses: list[Any] = [
        desk.client.get(f"{url_of(Learner)}{key}/{page}/") for page in ("change", "history", "link", "status")
    ]
    assert {response.status_code for response in responses} <= {302, 404}
