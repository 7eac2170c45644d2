import pytest

from program_enrollments.failures import describe_failure
from program_enrollments.normalization import normalize_identity


def test_a_failure_is_told_by_kind_and_place_without_values() -> None:
    with pytest.raises(AttributeError) as caught:
        normalize_identity(None)  # type: ignore[arg-type]
    assert describe_failure(caught.value).startswith("AttributeError at normalization.py:")


def test_a_failure_that_nothing_raised_has_no_place() -> None:
    assert describe_failure(ValueError("S-1")) == "ValueError"
