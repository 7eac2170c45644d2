"""Identities that come back: addresses and student IDs, alone and from hand to hand; links stay."""

from __future__ import annotations

from typing import Any

import pytest

from program_enrollments import api
from program_enrollments.data import Origin, ProgramEnrollmentRequest, Verb
from program_enrollments.models import IdentityProvider, Job, Learner, LedgerEntry
from tests.api.conftest import ORIGIN
from tests.api.jobs.conftest import Office
from tests.api.jobs.undo.offices import COURSES, REGISTRAR, carry_out, course_file, identities, undo
from tests.factories.enrollment import CurriculumFactory, GrantFactory, ProgramFactory
from tests.factories.host import ConfirmedUserFactory, UserFactory
from tests.invariants import find_violations

HEAD = "student_key,email,status\n"


def emails() -> dict[str, str]:
    return dict(Learner.objects.values_list("student_key", "email"))


def write_email(office: Office, student_key: str, email: str, status: str = "enrolled") -> None:
    row = ProgramEnrollmentRequest(student_key, student_key, email, status)
    api.write_program_enrollments(program=office.world.program, rows=[row], verb=Verb.UPSERT, origin=ORIGIN)


def test_an_address_that_the_file_brought(office: Office) -> None:
    office.run(HEAD + "A-1,,enrolled\nA-2,old@uni.example,enrolled\n")
    before = identities()
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\nA-2,New@uni.example,ended\n")
    after = identities()
    undone = undo(office, job)
    assert office.rows(undone) == [
        (2, "A-1", "enrolled", True, "enrolled", "enrolled"),
        (3, "A-2", "enrolled", True, "ended", "enrolled"),
    ]
    assert identities() == before
    undo(office, undone)
    assert identities() == after


def test_a_student_id_that_the_file_brought(office: Office) -> None:
    office.run(HEAD + ",one@uni.example,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\n")
    undone = undo(office, job)
    assert (undone.changed, emails()) == (1, {"": "one@uni.example"})
    undo(office, undone)
    assert emails() == {"A-1": "one@uni.example"}


def test_an_id_that_somebody_had_given_up_is_given_up_again(office: Office) -> None:
    world = office.world
    world.write_program(("A-1", "enrolled"))
    api.release_student_keys(school=world.school, student_keys=["A-1"], origin=ORIGIN)
    vacancy = Learner.objects.get(student_key="A-1")
    office.run(HEAD + ",one@uni.example,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\n")
    undone = undo(office, job)
    now = Learner.objects.get(student_key="A-1")
    assert (now.key_since, now.email, undone.refused) == (vacancy.key_since, "", 0)
    assert Learner.objects.get(email="one@uni.example").key_since is None
    undo(office, undone)
    assert Learner.objects.get(student_key="A-1").key_since == vacancy.key_since
    assert Learner.objects.get(student_key="A-1").email == "one@uni.example"


def test_addresses_that_changed_hands_change_back(office: Office, settings: Any) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "CHUNK_SIZE": 1}
    office.run(HEAD + "A-1,one@uni.example,enrolled\nA-2,two@uni.example,enrolled\nA-3,three@uni.example,enrolled\n")
    before = identities()
    job = carry_out(
        office,
        HEAD
        + "A-1,two@uni.example,enrolled\nA-2,three@uni.example,enrolled\nB-1,one@uni.example,enrolled\n"
        + "A-3,new@uni.example,enrolled\n",
    )
    assert emails()["B-1"] == "one@uni.example"
    undone = undo(office, job)
    assert (undone.changed, undone.refused) == (4, 0)
    made = Learner.objects.get(student_key="B-1")
    assert made.email == ""
    assert {pk: row for pk, row in identities().items() if pk != made.pk} == before
    undo(office, undone)
    assert emails() == {
        "A-1": "two@uni.example",
        "A-2": "three@uni.example",
        "A-3": "new@uni.example",
        "B-1": "one@uni.example",
    }


def test_who_was_made_stays_known_by_the_id_and_frees_the_address(office: Office) -> None:
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\n")
    undone = undo(office, job)
    assert emails() == {"A-1": ""}
    assert set(LedgerEntry.objects.filter(job_id=undone.pk).values_list("kind", "before", "after")) >= {
        ("email", "one@uni.example", None)
    }
    # The right file now gives the address to the right person.
    assert office.run(HEAD + "B-1,one@uni.example,enrolled\n").refused == 0


def test_who_is_in_another_program_by_now_keeps_the_address(office: Office) -> None:
    other = CurriculumFactory(program=ProgramFactory(school=office.world.school))
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\n")
    office.world.write_program(("A-1", "enrolled"), program=other.program)
    assert office.words(undo(office, job)) == {"A-1": "deleted"}
    assert emails() == {"A-1": "one@uni.example"}


def test_an_address_that_was_changed_since_stays(office: Office) -> None:
    office.run(HEAD + "A-1,,enrolled\nA-2,,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\nA-2,two@uni.example,ended\n")
    write_email(office, "A-1", "other@uni.example")
    write_email(office, "A-2", "other2@uni.example", "ended")
    undone = undo(office, job)
    assert office.words(undone) == {"A-1": "changed-since", "A-2": "enrolled"}
    assert emails() == {"A-1": "other@uni.example", "A-2": "other2@uni.example"}
    assert all("changed since" in row.detail for row in undone.rows.all())


def test_an_address_that_is_somebody_elses_by_now_stays_theirs(office: Office) -> None:
    office.run(HEAD + "A-1,one@uni.example,enrolled\n")
    job = carry_out(office, HEAD + "A-1,two@uni.example,ended\n")
    write_email(office, "B-1", "one@uni.example")
    undone = undo(office, job)
    assert office.words(undone) == {"A-1": "enrolled"}
    assert "another learner" in undone.rows.get().detail
    assert emails() == {"A-1": "two@uni.example", "B-1": "one@uni.example"}


def test_the_address_of_a_link_stays(office: Office) -> None:
    user = ConfirmedUserFactory(email="one@uni.example")
    office.run(HEAD + "A-1,,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,ended\n")
    assert Learner.objects.get().user_id == user.pk
    undone = undo(office, job)
    learner = Learner.objects.get()
    assert (learner.user_id, learner.email) == (user.pk, "one@uni.example")
    assert office.words(undone) == {"A-1": "enrolled"}
    assert "linked" in undone.rows.get().detail
    assert find_violations() == []


def test_who_signed_on_with_the_id_keeps_it(office: Office) -> None:
    office.run(HEAD + ",one@uni.example,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,enrolled\n")
    user = office.world.sign_on("A-1")
    assert office.words(undo(office, job)) == {"A-1": "changed-since"}
    assert Learner.objects.get().user_id == user.pk


def test_a_course_file_that_only_brought_an_address(office: Office) -> None:
    office.run(HEAD + "A-1,,enrolled\n")
    office.world.write_course(("A-1", "active"))
    job = carry_out(office, course_file(office, "FIRST,A-1,one@uni.example,active,"), kind=COURSES)
    undone = undo(office, job)
    assert office.rows(undone) == [(2, "A-1", "enrolled", True, "enrolled", "enrolled")]
    assert undone.rows.get().course_id == ""
    assert emails() == {"A-1": ""}


def test_identities_take_a_grant_on_all_the_learners_programs(office: Office) -> None:
    world = office.world
    other = CurriculumFactory(program=ProgramFactory(school=world.school))
    registrar = UserFactory()
    GrantFactory(user=registrar, school=None, program=world.program, permission="write_enrollments")
    office.run(HEAD + "A-1,,enrolled\n")
    job = carry_out(office, HEAD + "A-1,one@uni.example,ended\n", actor_id=registrar.pk)
    world.write_program(("A-1", "enrolled"), program=other.program)
    origin = Origin(source="api", actor_id=registrar.pk, reason="The wrong file")
    undone = office.work(api.undo_job(job=job, origin=origin))
    row = undone.rows.get()
    assert (row.word, row.changed, emails()) == ("enrolled", True, {"A-1": "one@uni.example"})
    assert "may not write" in row.detail


def test_a_learner_who_was_joined_or_retired_since(office: Office) -> None:
    world = office.world
    provider: IdentityProvider = world.provider
    assert provider.school_id == world.school.pk
    job: Job = carry_out(office, HEAD + ",one@uni.example,enrolled\nA-2,two@uni.example,enrolled\n")
    user = world.sign_on("A-1")
    world.confirm_email(user, "one@uni.example")
    learners = [Learner.objects.get(student_key="A-2").pk]
    with world.run_callbacks(execute=True):
        api.retire_learners(persons=api.Persons(learner_ids=learners), origin=REGISTRAR)
    undone = undo(office, job)
    assert (undone.changed, undone.refused, undone.counts) == (0, 2, {"changed-since": 2})
    assert "two@uni.example" not in str(list(undone.rows.values()))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_person_retired_while_the_undo_waits_is_in_no_scratch(office: Office, settings: Any, when: str) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SLICE_SECONDS": 0}
    from program_enrollments.models import StagedRow  # noqa: PLC0415  (only here)

    office.run(HEAD + "A-1,one@uni.example,enrolled\n")
    job = carry_out(office, HEAD + "A-1,two@uni.example,ended\n")
    while api.run_next_slice():
        pass
    undone = api.undo_job(job=job, origin=REGISTRAR)
    if when == "after":
        assert api.run_next_slice()
        assert StagedRow.objects.filter(email_owner="one@uni.example").exists()
    with office.world.run_callbacks(execute=True):
        api.retire_learners(persons=api.Persons(student_keys=["A-1"], school_key="uni-a"), origin=REGISTRAR)
    left = list(StagedRow.objects.filter(job=undone).values())
    assert "two@uni.example" not in str(left)
    office.work(undone)
    assert (undone.state, undone.counts) == ("succeeded", {"changed-since": 1})
