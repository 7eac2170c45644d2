"""Compare the contents of built archives with the files of the package that the repository has; called by `package`."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PACKAGE = "program_enrollments"
# One of each kind, in case all of a kind were missing from the repository, too.
KINDS = (".py", ".html", ".txt", ".css", ".js", "/py.typed", "/rest_api/openapi.yaml", "/migrations/0001_initial.py")
OF_ARCHIVES = {"pyproject.toml", "setup.py", "setup.cfg", "PKG-INFO", "MANIFEST.in", "LICENSE"}


def contents(archive: Path) -> set[str]:
    """Return the paths of files in the archive; of a source archive, relative to its only folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name for name in wheel.namelist() if not name.endswith("/")}
    with tarfile.open(archive) as source:
        return {member.name.split("/", 1)[1] for member in source.getmembers() if member.isfile()}


def main() -> int:
    """Print what is missing or too much, and return the exit status."""
    tracked = subprocess.run(["git", "ls-files", PACKAGE], capture_output=True, text=True, check=True)
    expected = {path for path in tracked.stdout.splitlines() if path != f"{PACKAGE}/locale/.gitkeep"}
    wrong = [f"the repository has no {kind}" for kind in KINDS if not any(path.endswith(kind) for path in expected)]
    for archive in map(Path, sys.argv[1:]):
        found = contents(archive)
        wrong += [f"{archive.name} lacks {path}" for path in sorted(expected - found)]
        wrong += [
            f"{archive.name} has {path}, which is not in the repository"
            for path in sorted(found - expected)
            if path.startswith(f"{PACKAGE}/") or not _belongs(path)
        ]
        print(f"{archive.name}: {len(found)} files.")
    for line in wrong:
        print(f"FAILED: {line}.", file=sys.stderr)
    return 1 if wrong else 0


def _belongs(path: str) -> bool:
    """Whether a path outside the package is one that archives have."""
    top = path.split("/", 1)[0]
    return top in OF_ARCHIVES or top.endswith((".dist-info", ".egg-info", ".rst")) or top == "requirements"


if __name__ == "__main__":
    sys.exit(main())
