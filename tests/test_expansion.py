"""Text that normalizing would make too long is known beforehand, and nothing else is taken for it."""

from __future__ import annotations

import sys
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.api.learners.identity import check_identity
from program_enrollments.expansion import EXPANDING, LEAST, expands_beyond
from program_enrollments.normalization import MAX_IDENTITY_LENGTH, normalize_identity

pytestmark = pytest.mark.once


@lru_cache(maxsize=1)
def expanders() -> list[str]:
    """Return the characters that normalizing makes long; goes through all of Unicode, so not at import."""
    return [
        chr(point)
        for point in range(sys.maxunicode + 1)
        if not 0xD800 <= point <= 0xDFFF and len(normalize_identity(chr(point))) >= LEAST
    ]


def test_the_characters_are_those_that_unicode_expands() -> None:
    matched = {character for character in map(chr, range(sys.maxunicode + 1)) if EXPANDING.match(character)}
    assert matched == set(expanders())


SAMPLES = st.deferred(lambda: st.sampled_from(expanders())) | st.characters(exclude_categories=["Cs"])


@given(st.lists(SAMPLES, max_size=255).map("".join))
def test_only_what_is_too_long_is_said_to_be(value: str) -> None:
    if expands_beyond(value, limit=MAX_IDENTITY_LENGTH):
        assert len(normalize_identity(value)) > MAX_IDENTITY_LENGTH


@pytest.mark.parametrize("character", ["\ufdfa", "\u3316", "\u247d"])
def test_hostile_identities_are_refused_before_they_are_normalized(character: str) -> None:
    text = character * 245
    assert expands_beyond(text, limit=MAX_IDENTITY_LENGTH)
    assert not check_identity(student_key=text, email="", domains=()).valid
    assert not check_identity(student_key="", email=f"{text}@a.example"[:255], domains=()).valid


def test_ordinary_text_passes() -> None:
    for text in ("S-7001", "é" * 255, "ﷲ" * 63, "\u3316" * 42, "", "ß" * 127):
        assert not expands_beyond(text, limit=MAX_IDENTITY_LENGTH)
        assert check_identity(student_key=text, email="", domains=()).valid == bool(text)
