"""Checks of files as jobs, where the installation has them. A dry run: nothing is written but the job."""

from __future__ import annotations

import time

from gateway_contract.connection import Connection
from gateway_contract.envelopes import read_page
from gateway_contract.findings import Findings, NotThere, expect
from gateway_contract.writing import PREFIX

CHECK = "Jobs are listed"
FINAL = {"succeeded", "failed", "canceled", "superseded"}


def check_jobs(connection: Connection, findings: Findings) -> bool:
    """Check the list of jobs; return whether the installation has one."""
    with findings.checking(CHECK):
        answer = connection.get("jobs/")
        if answer.status == 404:
            raise NotThere("the installation takes no files.")
        read_page(answer.must_be(200))
    return CHECK in findings.passed


def check_upload(connection: Connection, findings: Findings, *, program: str, seconds: float) -> None:
    """Upload a dry run with one good and one bad line, and wait until a worker has read it."""
    with findings.checking("A file becomes a job, which workers carry out"):
        text = f"student_key,status\n{PREFIX}file-1,enrolled\n{PREFIX}file-2,asleep\n"
        answer = connection.upload(f"programs/{program}/enrollments/upload/", text, {"dry_run": "true"})
        if answer.status == 404:
            raise NotThere("the installation takes no files.")
        job = answer.must_be(202).json()
        location = answer.headers.get("Location") or ""
        expect(location, f"{answer.told()} has no `Location`.")
        end = time.monotonic() + seconds
        while job.get("state") not in FINAL:
            expect(
                time.monotonic() < end, f"The job is still {job.get('state')} after {seconds:g} s: does a worker run?"
            )
            time.sleep(0.5)
            job = connection.send("GET", location).must_be(200).json()
        expect(job["state"] == "succeeded", f"The job ended {job['state']}: {job.get('message')}")
        counted = (job.get("total"), job.get("refused"))
        expect(counted == (2, 1), f"Of two lines one is bad, but the job counts {counted}.")
