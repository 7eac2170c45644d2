"""The list of personal data: every column of every table is classified."""

from __future__ import annotations

import re

import pytest
from django.apps import apps

from program_enrollments.conf import DEFAULTS
from tests.docs.snippets import ROOT

TABLE = re.compile(r"^(\w+)\n~+\n(.*?)(?=^\w+\n~+\n|\Z)", re.MULTILINE | re.DOTALL)
PERSONAL = re.compile(r"^:Personal data: (.*?)(?=^:)", re.MULTILINE | re.DOTALL)
OTHER = re.compile(r"^:Other columns: (.*?)(?=^:|\n\n|\Z)", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"``(\w+)``")
# Columns by these names identify persons, in whatever table.
IDENTITIES = re.compile(r"student_key|(?<!confirms_)email(_normalized|_owner)?$|^(user|actor)_id$|_by(_id|_user_id)?$")
MODELS = {model.__name__: model for model in apps.get_app_config("university_enrollments").get_models()}
pytestmark = pytest.mark.once


def page() -> str:
    return (ROOT / "docs" / "personal-data.rst").read_text(encoding="utf-8")


def tables() -> dict[str, str]:
    return dict(TABLE.findall(page().split("Columns with personal data\n", 1)[1]))


def columns(pattern: re.Pattern[str], text: str) -> set[str]:
    return {column for part in pattern.findall(text) for column in COLUMN.findall(part)}


def test_every_table_is_there_and_no_other() -> None:
    assert tables().keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_every_column_is_in_one_of_the_lists(name: str) -> None:
    personal, other = columns(PERSONAL, tables()[name]), columns(OTHER, tables()[name])
    assert not personal & other
    assert personal | other == {field.attname for field in MODELS[name]._meta.concrete_fields}


@pytest.mark.parametrize("name", MODELS)
def test_columns_that_identify_persons_are_personal(name: str) -> None:
    assert not [column for column in columns(OTHER, tables()[name]) if IDENTITIES.search(column)]


@pytest.mark.parametrize("name", MODELS)
def test_personal_data_has_a_purpose_and_an_end(name: str) -> None:
    text = tables()[name]
    if columns(PERSONAL, text):
        assert ":Whose and why:" in text
        assert ":Retention:" in text


def test_the_defaults_are_those_of_the_settings() -> None:
    assert f"{DEFAULTS['IDEMPOTENCY_HOURS']} hours (``IDEMPOTENCY_HOURS``)" in page()
    assert f"{DEFAULTS['KEEP_FILES_DAYS']} days after the job's end (``KEEP_FILES_DAYS``)" in page()
