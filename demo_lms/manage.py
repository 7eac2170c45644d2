#!/usr/bin/env python
"""Runs Django's commands with the demo LMS's settings, from any working directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command given on the command line."""
    # Python put this file's folder first on the path. Its modules must only be found as `demo_lms.…`, so the folder
    # above goes there.
    folder = Path(__file__).resolve().parent
    sys.path[0] = str(folder.parent)
    # Where the settings put the database and the mails; it is not part of the repository.
    (folder / "var").mkdir(exist_ok=True)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_lms.settings")

    from django.core.management import execute_from_command_line  # noqa: PLC0415  (after the path is right)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
