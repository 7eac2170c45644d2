"""How files are meant is asked in the same words wherever it is asked."""

from __future__ import annotations

import pytest

from program_enrollments.console.feed_forms import FeedForm
from program_enrollments.console.file_forms import MeaningForm, UploadForm


@pytest.mark.once
@pytest.mark.parametrize("form", [FeedForm, UploadForm])
def test_how_files_are_meant_is_defined_once(form: type[MeaningForm]) -> None:
    shared = MeaningForm.base_fields

    assert list(shared) == ["kind", "mode", "leaving_status", "cascade"]
    assert all(form.base_fields[name] is field for name, field in shared.items())


@pytest.mark.once
def test_a_feed_asks_about_many_files() -> None:
    one, many = UploadForm(), FeedForm(programs=[])

    assert [str(one[name].label) for name in ("kind", "mode")] == ["What is the file about?", "How is it meant?"]
    assert [str(many[name].label) for name in ("kind", "mode")] == ["What are the files about?", "How are they meant?"]
