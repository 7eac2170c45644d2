"""Check an installation: what would a registrar gateway stumble over?

    python -m gateway_contract --url https://lms.example --client ID --secret SECRET --program UUID [--write]

The secret may come from the environment instead, as CONTRACT_SECRET. Without `--write` it only reads. Exits with 1 if
a gateway would stumble.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

from gateway_contract.connection import DEFAULT_ROOT, Connection
from gateway_contract.findings import SKIPPED, Findings
from gateway_contract.suite import Subject, run_suite


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for, print what was found, return the exit status."""
    options = _parser().parse_args(arguments)
    connection = Connection(url=options.url, root=options.root, timeout=options.timeout)
    subject = Subject(
        client=options.client,
        secret=options.secret,
        program=str(options.program),
        course=options.course,
        curriculum=options.curriculum,
        writes=options.write,
        job_seconds=options.job_seconds,
    )
    findings = run_suite(connection, subject)
    _print(findings)
    return 1 if findings.stumbles else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway_contract")
    secret = os.environ.get("CONTRACT_SECRET", "")
    parser.add_argument("--url", required=True, type=_address, help="where the LMS is, such as https://lms.example")
    parser.add_argument("--client", required=True, help="the API client's ID")
    parser.add_argument("--secret", default=secret, help="its secret; CONTRACT_SECRET in the environment by default")
    parser.add_argument("--program", required=True, type=uuid.UUID, help="a program's UUID, which the client may read")
    parser.add_argument("--course", default="", help="a course run of the program, if the installation lists none")
    parser.add_argument("--curriculum", default="", help="the curriculum for writes; that of the first row by default")
    parser.add_argument("--root", default=DEFAULT_ROOT, help=f"the API's root ({DEFAULT_ROOT})")
    parser.add_argument("--write", action="store_true", help="write too: made-up students, left as canceled")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that an answer may take (30)")
    parser.add_argument("--job-seconds", type=float, default=60.0, help="seconds that a file may take (60)")
    return parser


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise argparse.ArgumentTypeError("this is no address such as https://lms.example")
    return text


def _print(findings: Findings) -> None:
    for check in findings.passed:
        sys.stdout.write(f"ok        {check}\n")
    for finding in sorted(findings.others, key=lambda each: each.kind):
        word = "skipped " if finding.kind == SKIPPED else "STUMBLES"
        sys.stdout.write(f"{word}  {finding.check}\n          {finding.detail}\n")
    skipped = len(findings.others) - len(findings.stumbles)
    sys.stdout.write(
        f"{len(findings.passed)} checks passed, a gateway stumbles over {len(findings.stumbles)}, {skipped} skipped.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
