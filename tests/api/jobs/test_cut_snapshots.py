"""A snapshot that was cut off on its way: it removes no more than the guard allows, and counted, nobody."""

from __future__ import annotations

import hashlib

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.api.jobs import check
from program_enrollments.data import JobMode
from program_enrollments.exceptions import FileIncomplete, InvalidFile
from program_enrollments.models import PreemptiveProgramEnrollment
from tests.api.jobs.conftest import Office
from tests.examples import examples

PEOPLE = 60
LIMIT = 12
TEXT = "\ufeffstudent_key,email,status\r\n" + "".join(
    f'S-{number:02},"s{number}@uni.example",enrolled\r\n' for number in range(PEOPLE)
)
RAW = TEXT.encode()
CUTS = st.one_of(
    st.integers(min_value=0, max_value=len(RAW)),
    # Where few enough are missing for the guard to let it pass.
    st.integers(min_value=len(RAW) - 14 * 34, max_value=len(RAW)),
)


def enrolled(office: Office) -> int:
    return PreemptiveProgramEnrollment.objects.filter(program=office.world.program, status="enrolled").count()


@pytest.fixture
def full(office: Office) -> Office:
    office.run(RAW)
    assert enrolled(office) == PEOPLE
    return office


@examples(60)
@given(cut=CUTS)
def test_cut_at_any_byte(full: Office, cut: int) -> None:
    with transaction.atomic():
        try:
            job = full.run(RAW[:cut], mode=JobMode.SNAPSHOT)
        except InvalidFile:
            job = None
        left = PEOPLE - enrolled(full)
        assert left <= LIMIT
        if job is None or job.state != "succeeded":
            assert left == 0
        transaction.set_rollback(True)
    # The same job number comes again.
    check.forget_readers()


@examples(60)
@given(cut=CUTS, by_rows=st.booleans())
def test_cut_where_the_sender_has_counted(full: Office, cut: int, by_rows: bool) -> None:
    counted = {"rows": PEOPLE} if by_rows else {"sha256": hashlib.sha256(RAW).hexdigest()}
    with transaction.atomic():
        try:
            full.run(RAW[:cut], mode=JobMode.SNAPSHOT, **counted)
        except (FileIncomplete, InvalidFile):
            assert cut < len(RAW)
        assert enrolled(full) == PEOPLE
        transaction.set_rollback(True)
    check.forget_readers()
