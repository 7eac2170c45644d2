"""How many examples a property is tried with: a quarter of them in the suite, all of them in `make test-long`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

Test = TypeVar("Test", bound=Callable[..., object])
LONG_PROFILE = "long"
PART = 4


def examples(count: int) -> Callable[[Test], Test]:
    """Return a decorator for properties that write to the database: `count` examples in the long run.

    Stands above `given`. All examples share one test's fixtures.
    """
    is_long = hypothesis_settings.get_current_profile_name() == LONG_PROFILE
    settings = hypothesis_settings(
        max_examples=count if is_long else count // PART,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )

    def decorate(test: Test) -> Test:
        marked: Test = pytest.mark.property(settings(test))
        return marked

    return decorate
