"""Support staff change enrollments by hand."""

from __future__ import annotations

import pytest

from program_enrollments import api
from program_enrollments.data import Origin, Source
from program_enrollments.models import Learner
from tests.api.conftest import World
from tests.factories.enrollment import CurriculumFactory

STAFF = Origin(source=Source.STAFF.value, reason="asked by phone")


@pytest.mark.parametrize("real", [True, False])
def test_staff_change_a_status_in_a_program_of_two_curricula(world: World, real: bool) -> None:
    world.write_program(("S-1", "enrolled"))
    if real:
        world.sign_on("S-1")
    CurriculumFactory(program=world.program)
    learner = Learner.objects.get()
    outcomes = api.change_program_statuses(
        places=[api.ProgramPlace(world.program.pk, learner.pk)], status="suspended", origin=STAFF
    )
    assert [outcome.word for outcome in outcomes] == ["suspended"]
