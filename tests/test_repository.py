"""What must stay true of the repository itself, so that it installs the same way everywhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("base", "demo", "test", "lint", "mysql", "docs")
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==(\S+)")
pytestmark = pytest.mark.once


def pins(layer: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{layer}.txt").read_text(encoding="utf-8")
    return dict(PIN.findall(text))


@pytest.mark.parametrize("layer", LAYERS)
def test_compiled_requirements_hold_nothing_but_pins_and_comments(layer: str) -> None:
    lines = (ROOT / "requirements" / f"{layer}.txt").read_text(encoding="utf-8").splitlines()

    odd = [line for line in lines if line and not line.lstrip().startswith("#") and not PIN.fullmatch(line)]

    assert odd == []


@pytest.mark.parametrize("layer", LAYERS)
def test_compiled_requirements_name_no_host_and_no_path_of_a_machine(layer: str) -> None:
    text = (ROOT / "requirements" / f"{layer}.txt").read_text(encoding="utf-8")

    assert not re.search(r"https?://|file://|--(extra-)?index-url|--find-links|/(home|root|opt|tmp|work)/", text)


@pytest.mark.parametrize("layer", ["base", "demo", "test", "docs"])
def test_a_package_has_the_same_version_in_every_layer(layer: str) -> None:
    widest = pins("lint")

    assert pins(layer)
    assert {name: version for name, version in pins(layer).items() if widest.get(name, version) != version} == {}


def test_every_layer_holds_the_one_below() -> None:
    assert pins("base").keys() < pins("demo").keys() < pins("test").keys() < pins("lint").keys()


@pytest.mark.parametrize("layer", LAYERS)
def test_whatever_a_layer_asks_for_is_pinned(layer: str) -> None:
    text = (ROOT / "requirements" / f"{layer}.in").read_text(encoding="utf-8")
    wanted = {name.lower().replace("_", "-") for name in re.findall(r"^[A-Za-z0-9][\w.-]*", text, re.MULTILINE)}

    assert wanted
    assert wanted <= pins(layer).keys()
