"""A real SFTP server on loopback: OpenSSH's own, as docs/feeds.rst describes it, and its client."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

SSHD = Path("/usr/sbin/sshd")
HOST = "127.0.0.1"


@dataclass
class SftpServer:
    """An sshd of its own, in `folder`. Sessions see `root` alone if `is_chroot`, which needs root; keys only."""

    folder: Path
    root: Path
    is_chroot: bool = True
    port: int = 0

    @staticmethod
    def require() -> None:
        """Skip the test without OpenSSH or root; fail it with REQUIRE_SFTP=1."""
        if SSHD.exists() and shutil.which("sftp") and os.geteuid() == 0:
            return
        reason = "Needs root and the packages openssh-server and openssh-client."
        if os.environ.get("REQUIRE_SFTP") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    @property
    def key(self) -> Path:
        return self.folder / "client"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def start(self) -> None:
        self.folder.mkdir()
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        host_key = " ".join((self.folder / "host.pub").read_text().split()[:2])
        self.known_hosts.write_text(f"[{HOST}]:{self.port} {host_key}\n")
        # sshd separates privileges, and wants this folder to be there.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (self.folder / "config").write_text(
            f"ListenAddress {HOST}:{self.port}\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
            "StrictModes no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
            f"Match User {getpass.getuser()}\n"
            + (f"    ChrootDirectory {self.root}\n" if self.is_chroot else "")
            + "    ForceCommand internal-sftp -u 0007 -P symlink,hardlink\n"
            f"    AuthorizedKeysFile {self.folder}/client.pub\n"
            "    AuthenticationMethods publickey\n    AllowTcpForwarding no\n"
            "    X11Forwarding no\n    PermitTunnel no\n"
        )
        command = [str(SSHD), "-D", "-f", f"{self.folder}/config", "-E", f"{self.folder}/log"]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)

    def pause(self) -> None:
        """Stop the server's processes where they are: connections stay, and nothing is answered."""
        for pid in self._processes(self._process.pid):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the server's processes go on."""
        for pid in self._processes(self._process.pid):
            os.kill(pid, signal.SIGCONT)

    def _processes(self, pid: int) -> list[int]:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(one for child in children for one in self._processes(int(child)))]

    def run(self, *commands: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Have OpenSSH's client carry out a batch of commands."""
        options = [
            "-i",
            str(self.key),
            "-P",
            str(self.port),
            "-F",
            "none",
            "-o",
            f"UserKnownHostsFile={self.known_hosts}",
        ]
        options += ["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"]
        batch = "\n".join(commands) + "\n"
        done = subprocess.run(
            ["sftp", "-q", "-b", "-", *options, f"{getpass.getuser()}@{HOST}"],
            input=batch, text=True, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (done.stderr, (self.folder / "log").read_text()[-1_000:])
        return done


@dataclass
class SftpDropbox:
    """The university's folder, behind its SFTP account."""

    server: SftpServer
    folder: str
    scratch: Path

    def put(self, name: str, text: str) -> None:
        (self.scratch / "sent").write_bytes(text.encode())
        self.server.run(f"put {self.scratch}/sent {self.folder}/{name}")

    def names(self, folder: str = "") -> list[str]:
        listed = self.server.run(f"ls -1 {self.folder}/{folder}", check=False)
        paths = [line.strip() for line in listed.stdout.splitlines() if not line.startswith("sftp>")]
        return sorted(path.rpartition("/")[2] for path in paths)

    def read(self, path: str) -> str:
        self.server.run(f"get {self.folder}/{path} {self.scratch}/received")
        return (self.scratch / "received").read_text()
