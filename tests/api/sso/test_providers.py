"""Identity providers and schools by the names that operators type."""

import pytest

from program_enrollments import api
from program_enrollments.exceptions import IdentityProviderDoesNotExist, SchoolDoesNotExist
from tests.factories.enrollment import IdentityProviderFactory, SchoolFactory

pytestmark = pytest.mark.django_db


def test_an_identity_provider_is_named_by_its_exact_slug() -> None:
    provider = IdentityProviderFactory(slug="north-1")

    assert api.get_identity_provider(slug="north-1") == provider


@pytest.mark.parametrize("slug", ["NORTH-1", "north-1 ", "north", "", "north-1\x00"])
def test_no_identity_provider_has_another_slug(slug: str) -> None:
    IdentityProviderFactory(slug="north-1")

    with pytest.raises(IdentityProviderDoesNotExist, match="Add it in the admin first"):
        api.get_identity_provider(slug=slug)


def test_a_school_is_named_by_its_exact_key() -> None:
    school = SchoolFactory(key="north")

    assert api.get_school(key="north") == school


@pytest.mark.parametrize("key", ["NORTH", "north ", "nort", "", "north\x00"])
def test_no_school_has_another_key(key: str) -> None:
    SchoolFactory(key="north")

    with pytest.raises(SchoolDoesNotExist):
        api.get_school(key=key)
