"""What benchmarks compare with: the same work without the app, and with it again afterwards."""

import pytest

from benchmarks.sign_ins import first_sign_in, first_sign_in_without_the_app


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_a_sign_in_without_the_app_takes_fewer_statements_than_the_next_one_with_it() -> None:
    without = first_sign_in_without_the_app("x", 1)

    with_it = first_sign_in("x", 2)
    assert without.statements is not None
    assert with_it.statements is not None
    assert without.statements < with_it.statements
