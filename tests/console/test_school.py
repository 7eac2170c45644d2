"""A school's own pages: brand and sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from program_enrollments.models import IdentityProvider, SamlConfiguration
from tests.console.conftest import Desk
from tests.factories.enrollment import IdentityProviderFactory
from tests.rest_api.callers import Campus

BRAND = {"name": "University A", "primary_color": "#7A1F2B", "guard_minimum": "10", "guard_percent": "20"}


def test_the_brand_is_on_every_page(registrar: Desk, campus: Campus) -> None:
    page = registrar.send(
        "brand",
        campus.school.key,
        **BRAND,
        logo_url="https://uni-a.example/logo.svg",
        support_name="Registrar",
        support_email="registrar@uni-a.example",
        welcome_text="Welcome to the winter term.",
    )

    assert page.messages() == ["Saved. It is on every page of yours from now on."]
    home = registrar.open("home")
    assert "--pe-brand: #7a1f2b; --pe-on-brand: #ffffff;" in home.content
    assert "Welcome to the winter term." in home.text
    assert 'href="mailto:registrar@uni-a.example"' in home.content
    assert 'src="https://uni-a.example/logo.svg"' in home.content
    assert "img-src 'self' data: https://uni-a.example;" in home.headers["Content-Security-Policy"]


def test_the_guard_of_files_is_set(registrar: Desk, campus: Campus) -> None:
    registrar.send("brand", campus.school.key, **{**BRAND, "guard_minimum": "3", "guard_percent": "5"})

    campus.school.refresh_from_db()
    assert (campus.school.guard_minimum, campus.school.guard_percent) == (3, 5)


def test_a_preview_saves_nothing(registrar: Desk, campus: Campus) -> None:
    page = registrar.send("brand", campus.school.key, **{**BRAND, "primary_color": "#ffd54a"}, preview="1")

    assert page.status == 200
    assert "On light pages" in page.text
    campus.school.refresh_from_db()
    assert campus.school.primary_color == ""


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"primary_color": "red"}, "Write a color as #rrggbb, such as #1a4b8c."),
        ({"primary_color": "#ffd54a", "text_color": "#ffffff"}, "hard to read on the color above. Try #000000"),
        ({"logo_url": "javascript:alert(1)"}, "Enter a valid URL."),
        ({"logo_url": "https://user:pass@uni.example/x.png"}, "Browsers could not load a logo from this address."),
        ({"guard_percent": "101"}, "Ensure this value is less than or equal to 100."),
        ({"name": ""}, "This field is required."),
        ({"support_email": "nobody"}, "Enter a valid email address."),
    ],
)
def test_what_nobody_could_read_or_load_is_corrected_as_it_is_entered(
    registrar: Desk, campus: Campus, form: dict[str, Any], error: str
) -> None:
    page = registrar.send("brand", campus.school.key, **{**BRAND, **form})

    assert page.status == 400
    assert error in " ".join(page.errors())


def test_colors_are_the_only_style_in_a_page(registrar: Desk, campus: Campus) -> None:
    """And no script: whatever a page needs is a file of this site."""
    page = registrar.open("home")

    (style,) = page.tree.xpath("//style")
    policy = page.headers["Content-Security-Policy"]
    assert f"'nonce-{style.get('nonce')}'" in policy
    assert "script-src 'self';" in policy
    assert not page.tree.xpath("//script[not(@src)] | //@style | //*[@onclick]")


def test_identity_providers_stand_with_their_state(
    registrar: Desk, campus: Campus, universities_certificate: str
) -> None:
    provider: IdentityProvider = IdentityProviderFactory(school=campus.school, slug="uni-a", name="Sign-in of A")
    IdentityProviderFactory(school=campus.school, slug="old", name="The old one", is_enabled=False)
    SamlConfiguration.objects.create(
        identity_provider=provider,
        entity_id="https://idp.example",
        sso_url="https://idp.example/sso",
        signing_certificates=universities_certificate,
        id_attribute="uid",
        is_test_only=True,
    )

    text = registrar.open("sign-in", campus.school.key).text

    assert "The old one switched off" in text
    assert "Sign-in of A for tests only" in text
    assert "https://idp.example" in text
    assert "Test the sign-on" in text
    assert "http://testserver/sso/schools/uni-a/" in text
