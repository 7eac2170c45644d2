"""Files about program enrollments: what each line becomes, and what the job says of it."""

from __future__ import annotations

import pytest

from program_enrollments.api.jobs import duplicates
from program_enrollments.models import Job, Learner, LedgerEntry, PreemptiveProgramEnrollment
from tests.api.jobs.conftest import Office


def stored(office: Office) -> dict[str, str]:
    return dict(
        PreemptiveProgramEnrollment.objects.filter(program=office.world.program).values_list(
            "learner__student_key", "status"
        )
    )


def test_a_file_enrolls_everybody_in_it(office: Office) -> None:
    job = office.run("student_key,status\nA-1,enrolled\nA-2,pending\n")
    assert (job.state, job.total, job.done, job.changed, job.refused) == ("succeeded", 2, 2, 2, 0)
    assert job.counts == {"enrolled": 1, "pending": 1}
    assert office.rows(job) == [
        (2, "A-1", "enrolled", True, None, "enrolled"),
        (3, "A-2", "pending", True, None, "pending"),
    ]
    assert stored(office) == {"A-1": "enrolled", "A-2": "pending"}
    entry = LedgerEntry.objects.first()
    assert entry is not None
    assert (entry.source, entry.job_id, entry.request_id) == ("upload", job.pk, "request-1")


def test_lines_that_change_nothing_are_counted_and_not_kept(office: Office) -> None:
    office.run("student_key,status\nA-1,enrolled\nA-2,pending\n")
    job = office.run("student_key,status\nA-1,enrolled\nA-2,enrolled\n")
    assert (job.changed, job.unchanged, job.done) == (1, 1, 2)
    assert job.counts == {"enrolled": 2}
    assert office.rows(job) == [(3, "A-2", "enrolled", True, "pending", "enrolled")]


def test_a_line_that_is_wrong_costs_no_other_line_anything(office: Office) -> None:
    job = office.run(
        "student_key,email,status,curriculum_uuid\n"
        "A-1,,enrolled,\n"
        "A-2,,enroled,\n"
        "A-3,no address,enrolled,\n"
        "A-4,,enrolled,nonsense\n"
        "A-5,,enrolled,aaaaaaaa-0000-4000-8000-000000000001\n"
        ",,enrolled,\n"
        "A-6,,enrolled,,,,surplus\n"
        "A-7,,enrolled,\n"
        "a-7,,pending,\n"
    )
    assert (job.state, job.total, job.done, job.changed, job.refused) == ("succeeded", 9, 9, 1, 8)
    assert [(row[0], row[2]) for row in office.rows(job)] == [
        (2, "enrolled"),
        (3, "invalid-status"),
        (4, "invalid-identity"),
        (5, "invalid-curriculum"),
        (6, "invalid-curriculum"),
        (7, "invalid-identity"),
        (8, "unreadable"),
        (9, "duplicated"),
        (10, "duplicated"),
    ]
    assert stored(office) == {"A-1": "enrolled"}


def test_a_file_that_names_the_same_few_on_most_of_its_lines_is_walked_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(duplicates, "LOOKED_UP", 10)
    lines = ["A-1", "B-1", "C-1", "A-1"] * 8

    job = office.run("student_key,status\n" + "".join(f"{name},enrolled\n" for name in [*lines, "D-1"]))

    assert office.words(job) == {"A-1": "duplicated", "B-1": "duplicated", "C-1": "duplicated", "D-1": "enrolled"}
    assert job.refused == 32


def test_duplicates_are_found_over_the_whole_file(office: Office) -> None:
    lines = [f"S-{number},,enrolled" for number in range(2_500)]
    lines[3] = "X-1,same@uni.example,enrolled"
    lines[2_400] = "X-2,SAME@uni.example,enrolled"
    job = office.run("student_key,email,status\n" + "\n".join(lines))
    assert (job.total, job.changed, job.refused) == (2_500, 2_498, 2)
    assert office.words(job)["X-1"] == office.words(job)["X-2"] == "duplicated"


def test_jobs_of_a_program_run_in_the_order_of_their_acceptance(office: Office) -> None:
    first = office.send("student_key,status\nA-1,enrolled\n")
    second = office.send("student_key,status\nA-1,suspended\n")
    office.work(second)
    assert stored(office) == {"A-1": "suspended"}
    assert Job.objects.get(pk=first.pk).finished <= Job.objects.get(pk=second.pk).started  # type: ignore[operator]


def test_addresses_change_hands_between_lines_far_from_each_other(office: Office) -> None:
    office.run("student_key,email,status\nA-1,one@uni.example,enrolled\nA-2,two@uni.example,enrolled\n")
    between = "".join(f"S-{number},,enrolled\n" for number in range(2_000))
    job = office.run(f"student_key,email,status\nA-1,two@uni.example,enrolled\n{between}A-2,one@uni.example,enrolled\n")
    assert (job.changed, job.refused) == (2_002, 0)
    swapped = Learner.objects.filter(student_key__startswith="A-").values_list("student_key", "email")
    assert dict(swapped) == {"A-1": "two@uni.example", "A-2": "one@uni.example"}


def test_an_address_in_the_place_of_the_id_is_an_address(office: Office) -> None:
    office.run("email,status\none@uni.example,enrolled\n")
    job = office.run("student_key,email,status\none@uni.example,one@uni.example,enrolled\n")
    assert (job.unchanged, job.changed) == (1, 0)
