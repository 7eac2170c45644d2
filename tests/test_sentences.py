"""Sentences: stored and sent in English, and recognized again when a page shows them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from program_enrollments import sentences
from program_enrollments.api.jobs import refused, results
from program_enrollments.api.jobs.decisions import ONLY_HELD, ONLY_STOPPED, TOO_LATE
from program_enrollments.api.jobs.guard import NO_ROWS, OVER_LIMIT
from program_enrollments.api.jobs.slices import AWAY, PLATFORM
from program_enrollments.api.jobs.undo import acceptance
from program_enrollments.api.jobs.upload import IGNORED
from program_enrollments.data import STATES_IN_SENTENCES, JobState, Permission
from program_enrollments.exceptions import InvalidFile, TooManyRows, WrongState
from program_enrollments.sentences import in_english, known, translated
from program_enrollments.tabular_files import open_table
from tests.rest_api.callers import caller_granted, make_campus

LOUD = {
    "": "",
    "held": "HELD",
    NO_ROWS: "NO ROWS.",
    OVER_LIMIT[False, False]: "%(removals)d OF %(present)d, %(limit)d ALLOWED.",
    PLATFORM: "THE PLATFORM",
    AWAY: "%(what)s IS AWAY.",
    IGNORED: "IGNORED: %(names)s.",
    "Line 1 is empty.": "NOTHING ON LINE 1.",
}


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A language that has the sentences above, in capitals."""
    with translation.override("de"):
        catalog = translation.trans_real.catalog()  # type: ignore[attr-defined]
        for message, text in LOUD.items():
            monkeypatch.setitem(catalog._catalog._catalogs[0], message, text)
        yield


@pytest.mark.usefixtures("loud")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Something that nobody knows.", "Something that nobody knows."),
        (NO_ROWS, "NO ROWS."),
        (
            f"{NO_ROWS} {OVER_LIMIT[False, False] % {'removals': 7, 'present': 9, 'limit': 2}}",
            "NO ROWS. 7 OF 9, 2 ALLOWED.",
        ),
        (AWAY % {"what": PLATFORM}, "THE PLATFORM IS AWAY."),
        # What a file calls its columns is no word of this app.
        (IGNORED % {"names": "held, wish."}, "IGNORED: held, wish.."),
    ],
)
def test_stored_sentences_are_shown_in_the_readers_language(text: str, shown: str) -> None:
    assert translated(text) == shown


@pytest.mark.usefixtures("loud")
def test_what_is_sent_or_stored_is_english() -> None:
    with pytest.raises(InvalidFile) as refused:
        open_table(file=io.BytesIO(b""), columns=["status"], required=["status"])
    assert "Line 1 is empty." in refused.value.detail
    assert "NOTHING ON LINE 1." in refused.value.message
    assert str(TooManyRows(limit=1, received=2)).startswith("A call may hold at most 1 rows")
    with in_english():
        assert translated(NO_ROWS) == NO_ROWS


def test_in_english_every_sentence_is_what_it_was() -> None:
    text = f"{AWAY % {'what': PLATFORM}} {IGNORED % {'names': 'a, b'}}"
    assert translated(text) == text
    assert WrongState("This is about %(nothing)s that is known.").message == "This is about %(nothing)s that is known."


def test_a_sentence_is_registered_once() -> None:
    before = len(sentences._templates)
    assert known(AWAY) == AWAY
    assert len(sentences._templates) == before


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_the_api_answers_in_english(db: None, language: str) -> None:
    """Whatever `Accept-Language` says, answers are the same: clients compare and log them."""
    campus = make_campus("uni-a")
    caller = caller_granted(Permission.WRITE_ENROLLMENTS, school=campus.school)
    headers = {"Accept-Language": language}
    rows = [{"student_key": "S-1", "status": "nothing"}]
    answer = caller.post(campus.enrollments, rows, query={"detail": "true"}, headers=headers)
    assert "The status must be one of" in answer.content.decode()
    assert answer["Content-Language"] == "en"
    refused = caller.get(campus.path + "nothing/", headers=headers)
    assert refused.json()["detail"] == "There is nothing at this path."
    assert caller.send("DELETE", campus.enrollments, headers=headers).json()["detail"] == 'Method "DELETE" not allowed.'


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.parametrize("state", JobState.values)
@pytest.mark.parametrize(
    "sentence", [results.NOT_ENDED, refused.NOT_ENDED, acceptance.NOT_ENDED, ONLY_HELD, TOO_LATE, ONLY_STOPPED]
)
def test_the_state_of_a_job_is_translated_with_its_sentence(sentence: str, state: str, language: str) -> None:
    with translation.override(language):
        shown = translated(sentence % {"state": state})

    assert shown != sentence % {"state": state}
    assert not re.search(rf"\b{state}\b", shown), shown


def test_every_state_of_a_job_has_a_word_in_sentences() -> None:
    assert list(STATES_IN_SENTENCES) == JobState.values
