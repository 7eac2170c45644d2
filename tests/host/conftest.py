"""Fixtures that the tests of the host share with those of the api."""

from tests.api.conftest import world

__all__ = ["world"]
