"""Every exception survives a process boundary: task queues and parallel test runners pickle what was raised."""

import pickle
from collections.abc import Iterator

import pytest

from program_enrollments import exceptions
from program_enrollments.exceptions import ProgramEnrollmentsError
from program_enrollments.rest_api import errors

ARGUMENTS: dict[str, dict[str, object]] = {
    "AmbiguousCourse": {"candidates": ["course-v1:A+B+C", "course-v1:A+B+D"]},
    "TooManyRows": {"limit": 2, "received": 3},
    "WriteInterrupted": {"committed": {"S-1": "enrolled"}},
    "SignOnRefused": {"refusal": "no_account", "slug": "north-1"},
    "InvalidParameter": {"parameter": "page_size", "detail": "page_size must be a number."},
    "InvalidBody": {"errors": [{"row": 1}]},
    "TooManyRequests": {"wait": 1.5},
    "BodyTooLarge": {"limit": 10},
    "WebhookFailed": {"detail": "It does not answer in time.", "is_unreachable": True},
}


def every_class(base: type[ProgramEnrollmentsError]) -> Iterator[type[ProgramEnrollmentsError]]:
    yield base
    for child in base.__subclasses__():
        yield from every_class(child)


CLASSES = sorted(set(every_class(ProgramEnrollmentsError)), key=lambda cls: cls.__name__)


@pytest.mark.once
@pytest.mark.parametrize("cls", CLASSES)
def test_a_pickled_exception_comes_back_as_it_was(cls: type[ProgramEnrollmentsError]) -> None:
    error = cls(**ARGUMENTS.get(cls.__name__, {"detail": "As it was.", "number": 1}))  # type: ignore[arg-type]

    returned = pickle.loads(pickle.dumps(error))

    assert type(returned) is cls
    assert str(returned) == str(error)
    assert vars(returned) == vars(error)
    assert (returned.code, returned.detail, returned.extra) == (error.code, error.detail, error.extra)


def test_the_whole_tree_is_tried() -> None:
    assert {exceptions.TooManyRows, exceptions.SignOnRefused, errors.InvalidParameter} <= set(CLASSES)
