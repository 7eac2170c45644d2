"""Single files over a real SFTP server: complete without a marker, and a server that stops answering in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.api.feeds.conftest import START, TEXT, Folder, feed_storage
from tests.factories.enrollment import CurriculumFactory, SchoolFactory
from tests.long.sftp_storage import sftp_storage, srv
from tests.sftp import SftpServer

__all__ = ["feed_storage", "srv"]
pytestmark = [pytest.mark.long, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(srv: Path, tmp_path: Path) -> Iterator[SftpServer]:
    server = SftpServer(tmp_path / "sshd", srv, is_chroot=False)
    server.start()
    yield server
    server.resume()
    server.stop()


@pytest.fixture
def folder(srv: Path, server: SftpServer, feed_storage: Callable[..., Path], settings: Settings) -> Folder:
    feed_storage()
    settings.STORAGES = {**settings.STORAGES, "program_enrollments_feeds": sftp_storage(server, srv)}
    curriculum = CurriculumFactory(program__school=SchoolFactory(key="uni-a"))
    return Folder(srv, curriculum.program.school, curriculum.program)


def test_without_a_marker_a_file_has_to_stay_as_it_is_between_two_looks(folder: Folder) -> None:
    folder.add_feed()
    folder.drop("nightly.csv", TEXT[:20], done=None, at=START)
    assert folder.collect().taken == 0
    # It has grown, within the same second as far as the server's times tell.
    folder.drop("nightly.csv", done=None, at=START)
    assert folder.collect().taken == 0

    assert folder.collect().taken == 1

    assert folder.jobs() == ["nightly.csv"]
    assert folder.names() == []


def test_a_server_that_stops_answering_is_given_up_and_asked_again_later(
    folder: Folder, server: SftpServer, settings: Settings
) -> None:
    folder.add_feed()
    folder.drop("first.csv")
    assert folder.collect().taken == 1
    folder.drop("second.csv")
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "FEED_HANG_SECONDS": 2}
    server.pause()

    collected = folder.collect()

    assert collected.problems == ["uni-a: The storage for feeds stopped answering. It is asked again in an hour."]
    server.resume()
    assert folder.collect(after=timedelta(hours=2)).taken == 1
    assert folder.jobs() == ["first.csv", "second.csv"]
    assert folder.look().problem == ""
