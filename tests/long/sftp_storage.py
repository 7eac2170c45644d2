"""A folder that sshd serves, and the settings of a storage that reads it."""

from __future__ import annotations

import getpass
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sftp import HOST, SftpServer


@pytest.fixture
def srv() -> Iterator[Path]:
    """A folder that only root can write to, as far as its own parents: OpenSSH wants that of a chroot."""
    SftpServer.require()
    folder = Path(tempfile.mkdtemp(prefix="feeds-", dir="/srv"))
    folder.chmod(0o755)
    (folder / "uni-a" / "exports").mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def sftp_storage(server: SftpServer, root: Path) -> dict[str, Any]:
    return {
        "BACKEND": "storages.backends.sftpstorage.SFTPStorage",
        "OPTIONS": {
            "host": HOST,
            "root_path": str(root),
            "known_host_file": str(server.known_hosts),
            "interactive": False,
            "params": {
                "port": server.port,
                "username": getpass.getuser(),
                "key_filename": str(server.key),
                "allow_agent": False,
                "look_for_keys": False,
                "timeout": 10,
                "banner_timeout": 10,
                "auth_timeout": 10,
                "channel_timeout": 10,
            },
        },
    }
