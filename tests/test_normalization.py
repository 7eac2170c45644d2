"""The one notion of equality."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_enrollments.normalization import normalize_identity, parse_uuid, split_uid


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("S-1", "s-1"),
        (" S-1\u00a0", "S-1"),
        ("\u3000S-1", "S-1"),
        ("é", "e\u0301"),
        ("É", "é"),
        ("１２３", "123"),
        ("straße", "STRASSE"),
        ("ΣΑΣ", "σας"),
        ("\u212a1", "k1"),
        ("ﬁ", "FI"),
    ],
)
def test_equal(one: str, other: str) -> None:
    assert normalize_identity(one) == normalize_identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("é", "e"), ("ø", "o"), ("ı", "i"), ("S 1", "S1"), ("S-1", "S\u20101x"), ("0", "O"), ("ñ", "n"), ("ż", "z")],
)
def test_different(one: str, other: str) -> None:
    assert normalize_identity(one) != normalize_identity(other)


@given(st.text())
def test_normalizing_twice_is_normalizing_once(value: str) -> None:
    once = normalize_identity(value)
    assert normalize_identity(once) == once
    assert once == once.strip()


@given(st.text())
def test_case_and_surrounding_space_never_matter(value: str) -> None:
    assert normalize_identity(f"  {value}\u2003") == normalize_identity(value)


@pytest.mark.parametrize(
    ("uid", "parts"),
    [
        ("uni-a:S-1", ("uni-a", "S-1")),
        ("uni-a:a:b", ("uni-a", "a:b")),
        ("uni-a: S-1 ", ("uni-a", "S-1")),
        ("uni-a::", ("uni-a", ":")),
        ("S-1", None),
        (":S-1", None),
        ("uni-a:", None),
        ("uni-a: \t", None),
        ("", None),
    ],
)
def test_a_uid_splits_at_its_first_colon(uid: str, parts: tuple[str, str] | None) -> None:
    assert split_uid(uid) == parts


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("0B2C3D4E-0000-4000-8000-000000000001", True),
        ("0b2c3d4e000040008000000000000001", True),
        ("{0b2c3d4e-0000-4000-8000-000000000001}", False),
        ("urn:uuid:0b2c3d4e-0000-4000-8000-000000000001", False),
        ("0-b2c3d4e-0000-4000-8000-00000000000-1", False),
        ("", False),
    ],
)
def test_a_uuid_is_written_one_way_everywhere(text: str, is_one: bool) -> None:
    assert (parse_uuid(text) is not None) is is_one
