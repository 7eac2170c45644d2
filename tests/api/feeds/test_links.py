"""Links among the dropped files lead nowhere: neither to other schools nor out of the storage."""

from __future__ import annotations

import os

import pytest
from django.core.files.storage import FileSystemStorage

from program_enrollments.api.feeds.drops import Drop, LeadsOut
from tests.api.feeds.conftest import TEXT, Folder

STORAGES = "tests.api.feeds.storages"


def test_links_lead_nowhere(folder: Folder) -> None:
    """Who drops files by SFTP can make links, also to another school's files."""
    folder.add_feed()
    elsewhere = folder.root / "uni-b"
    elsewhere.mkdir()
    (elsewhere / "nightly.csv").write_text(TEXT)
    (folder.path / "stolen.csv").symlink_to(elsewhere / "nightly.csv")
    (folder.path / "fine.csv").symlink_to(folder.drop("real.txt", done=None))
    os.mkfifo(folder.path / "pipe.csv")

    folder.collect()
    folder.collect()

    assert folder.jobs() == ["fine.csv"]
    assert "uni-a/stolen.csv is a link that leads out of the school's folder" in folder.look().problem
    assert "uni-a/pipe.csv" in folder.look().problem
    assert (elsewhere / "nightly.csv").exists()


def test_a_link_in_the_place_of_processed_gets_nothing(folder: Folder) -> None:
    folder.add_feed()
    elsewhere = folder.root / "uni-b"
    elsewhere.mkdir()
    (folder.path / "processed").symlink_to(elsewhere)
    folder.drop("nightly.csv")

    folder.collect()

    assert list(elsewhere.iterdir()) == []
    assert folder.names() == ["nightly.csv", "nightly.csv.done"]


def test_a_link_in_the_place_of_a_folder_is_not_followed(folder: Folder) -> None:
    feed = folder.add_feed(folder="sis")
    elsewhere = folder.root / "uni-b"
    elsewhere.mkdir()
    (elsewhere / "nightly.csv").write_text(TEXT)
    (folder.path / feed.folder).rmdir()
    (folder.path / "sis").symlink_to(elsewhere)

    folder.collect()
    folder.collect()

    assert folder.jobs() == []
    assert "uni-a/sis is a link" in folder.look().problem


def test_what_was_exchanged_for_a_link_is_not_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.add_feed()
    secret = folder.root / "secret.csv"
    secret.write_text(TEXT)
    file = folder.drop("nightly.csv")
    opened = FileSystemStorage.open

    def exchange(storage: FileSystemStorage, name: str, mode: str = "rb") -> object:
        if name.endswith("nightly.csv"):
            file.unlink()
            file.symlink_to(secret)
        return opened(storage, name, mode)

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "open", exchange)
        folder.collect()

    assert folder.jobs() == []
    with pytest.raises(LeadsOut), Drop("uni-a").opened("uni-a/nothing/../../secret.csv"):
        pass
