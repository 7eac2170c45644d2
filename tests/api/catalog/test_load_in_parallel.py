"""Loads of one catalog that run at the same time, as when a sync takes longer than the time to the next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from program_enrollments import api
from program_enrollments.catalog_sources.values import CatalogCourseRun, CatalogCurriculum, CatalogProgram
from program_enrollments.models import CourseRun, CurriculumCourseRun, Program
from tests.factories.enrollment import SchoolFactory

LOADS = 3


@pytest.mark.django_db(transaction=True)
def test_everything_is_made_once_and_nothing_fails() -> None:
    SchoolFactory(key="uni-a")
    runs = tuple(CatalogCourseRun(f"run-{number}", {"title": f"Run {number}"}) for number in range(5))
    wanted = [
        CatalogProgram(uuid4(), {"title": f"Program {number}"}, ("uni-a",), (CatalogCurriculum(uuid4(), {}, runs),))
        for number in range(6)
    ]
    start = threading.Barrier(LOADS)

    def load() -> list[api.CatalogOutcome]:
        try:
            start.wait(timeout=120)
            return list(api.load_catalog(programs=wanted))
        finally:
            connection.close()

    with ThreadPoolExecutor(LOADS) as pool:
        outcomes = [outcome for each in [pool.submit(load) for _ in range(LOADS)] for outcome in each.result()]

    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert sum(outcome.is_new for outcome in outcomes) == Program.objects.count() == len(wanted)
    assert CourseRun.objects.count() == len(runs)
    assert CurriculumCourseRun.objects.count() == len(wanted) * len(runs)
