"""Identities are compared by one notion of equality, and evidence is compared exactly."""

from __future__ import annotations

import pytest

from program_enrollments import api
from program_enrollments.models import (
    Learner,
    ProgramEnrollment,
)
from tests.api.conftest import World
from tests.api.steps import opened
from tests.factories.enrollment import (
    UserSocialAuthFactory,
)


class TestComparedExactly:
    @pytest.mark.parametrize("provider", ["TPA-SAML", "tpa-saml ", "tpa-sáml"])
    def test_a_backend_that_only_looks_alike_is_no_evidence(self, provider: str, world: World) -> None:
        UserSocialAuthFactory(provider=provider, uid="uni-a:A")
        world.write_program(("A", "enrolled"))
        api.sweep()
        assert Learner.objects.get(student_key="A").user is None

    @pytest.mark.parametrize("slug", ["UNI-A", "uni-a ", "uni-á"])
    def test_a_slug_that_only_looks_alike_is_no_evidence(self, slug: str, world: World) -> None:
        UserSocialAuthFactory(uid=f"{slug}:A")
        world.write_program(("A", "enrolled"))
        api.sweep()
        assert Learner.objects.get(student_key="A").user is None
        user = world.sign_on("B", slug=slug)
        assert not Learner.objects.filter(user=user).exists()

    @pytest.mark.parametrize("key", ["A\u200b", "\ufeffA", "\u200eA", "A\u00ad", "\u2800A", "A\ufe0f"])
    def test_what_cannot_be_seen_tells_nobody_apart(self, key: str, world: World) -> None:
        world.write_program((key, "enrolled"))
        user = opened(world, "A")
        assert ProgramEnrollment.objects.get().learner.user == user
        assert world.write_program(("a", "pending")) == {"a": "pending"}
        assert Learner.objects.get().student_key == "A"

    def test_an_id_of_nothing_visible_is_none(self, world: World) -> None:
        assert world.write_program(("\u200b", "enrolled")) == {"\u200b": "invalid-identity"}
