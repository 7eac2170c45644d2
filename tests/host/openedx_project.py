"""The stand-ins for Open edX as an installed project: two plug-ins in a chosen order, run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parent.parent.parent
PLATFORM = Path(__file__).parent / "openedx_platform"

First = Literal["ours", "platform"]


@dataclass(frozen=True)
class InstalledPlatform:
    """Folders with two distributions, as `pip install` leaves them."""

    ours: Path
    platform: Path
    cache: Path

    def run(
        self, *arguments: str, first: First = "ours", settings: str = "production", config: Mapping[str, Any] = {}
    ) -> subprocess.CompletedProcess[str]:
        """Run Python with `arguments`; the distribution `first` is found first, `config` is the operator's YAML."""
        order = [self.ours, self.platform] if first == "ours" else [self.platform, self.ours]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, [*order, PLATFORM, ROOT])),
            "DJANGO_SETTINGS_MODULE": f"lms.envs.{settings}",
            "LMS_CFG": json.dumps(config),
            # The package is the one of the wheel, not the one of the working copy.
            "PYTHONSAFEPATH": "1",
            # Stevedore keeps what it found in a folder of the user's, unless that says not to.
            "XDG_CACHE_HOME": str(self.cache),
        }
        return subprocess.run(
            [sys.executable, *arguments],
            # Not the working copy: Celery looks for modules in the folder that a process was started in.
            cwd=self.cache,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def evaluate(self, questions: Mapping[str, str], **options: Any) -> dict[str, Any]:
        """Return what the code of each question assigns to `result`, in one process after `django.setup()`.

        Each is run with names of its own. What it changes in the project, it has to change back.
        """
        program = "\n".join(
            [
                "import django, json",
                "django.setup()",
                "answers = {}",
                f"for name, code in {dict(questions)!r}.items():",
                "    names = {}",
                "    exec(code, names)",
                "    answers[name] = names['result']",
                "print(json.dumps(answers))",
            ]
        )
        ran = self.run("-W", "ignore", "-c", program, **options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        answers: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return answers


def install(folder: Path) -> InstalledPlatform:
    """Install both distributions below `folder`: ours from its wheel, of the platform's only the metadata."""
    ours, platform, cache, build = (folder / name for name in ("ours", "platform", "cache", "build"))
    for made in (ours, cache / "python-entrypoints", platform / "openedx_platform-1.dist-info", build):
        made.mkdir(parents=True)
    (cache / "python-entrypoints" / ".disable").touch()
    # Everything that is built along the way stays out of the working copy.
    ran = subprocess.run(
        [
            *(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(build)),
            *("build", "--build-base", str(build / "base")),
            *("bdist_wheel", "--bdist-dir", str(build / "wheel"), "--dist-dir", str(build)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (wheel,) = build.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(ours)
    metadata = platform / "openedx_platform-1.dist-info"
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: openedx-platform\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[lms.djangoapp]\nprogram_enrollments = lms.djangoapps.program_enrollments.apps:ProgramEnrollmentsConfig\n"
    )
    return InstalledPlatform(ours=ours, platform=platform, cache=cache)
