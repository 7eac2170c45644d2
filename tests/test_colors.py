"""Colors: contrast as WCAG 2.2 computes it, and the one form in which a color is written."""

import pytest

from program_enrollments.colors import contrast, is_color

pytestmark = pytest.mark.once


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("#1A4b8c", True), ("#fff", False), ("1a4b8c", False), ("#1a4b8c\n", False)]
)
def test_a_color_is_written_with_six_digits(text: str, expected: bool) -> None:
    assert is_color(text) is expected
