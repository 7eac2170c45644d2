"""Running: starts the identity providers beside the demo LMS, and tells the LMS where they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo_lms.idp.people import UNIVERSITIES
from program_enrollments.models import IdentityProvider, SamlConfiguration
from program_enrollments.saml.configuration import get_sign_on_settings
from program_enrollments.saml.identities import UID
from program_enrollments.saml.service_metadata import service_metadata

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class RunningProviders:
    """The process with the identity providers, its address, and the folder where it keeps its keys."""

    process: subprocess.Popen[str]
    base_url: str
    folder: Path

    def stop(self) -> None:
        """Let the process end, and wait until it has."""
        _end(self.process)


class ProvidersUnavailableError(Exception):
    """The identity providers did not start; the text says why."""


def start_providers(*, folder: Path, acs_urls: Sequence[str], port: int = 0) -> RunningProviders:
    """Start the identity providers in a process of their own, and return once they answer.

    `folder` keeps their keys; `acs_urls` are the addresses of the LMS's assertion consumer service. Raises
    ProvidersUnavailableError, for one where the port is taken.
    """
    settings = get_sign_on_settings()
    folder.mkdir(parents=True, exist_ok=True)
    metadata = folder / "sp_metadata.xml"
    metadata.write_bytes(
        service_metadata(settings=settings, entity_id=settings.ENTITY_ID or acs_urls[0], acs_urls=acs_urls)
    )
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603  (no shell, our own arguments)
            [
                *(sys.executable, "-W", "ignore", "-m", "demo_lms.idp"),
                *("--port", str(port), "--folder", str(folder), "--sp-metadata", str(metadata)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # Ctrl-C is for the demo, which then ends this process itself.
            start_new_session=True,
        )
    base_url = process.stdout.readline().strip() if process.stdout else ""
    if not base_url:
        _end(process)
        problem = log.read_text(encoding="utf-8").strip().splitlines()
        raise ProvidersUnavailableError(problem[-1] if problem else "The process ended without a word.")
    return RunningProviders(process, base_url, folder)


def configure_providers(*, folder: Path, base_url: str) -> None:
    """Tell the LMS the keys and addresses of the universities that it knows; what else staff changed is kept."""
    for university in UNIVERSITIES:
        provider = IdentityProvider.objects.filter(slug=university.key).first()
        if provider is None:
            continue
        certificate = folder / university.key / "certificate.pem"
        told = {
            "entity_id": university.entity_id,
            "sso_url": f"{base_url}/{university.key}/sso",
            "signing_certificates": certificate.read_text(encoding="ascii"),
        }
        known = SamlConfiguration.objects.filter(identity_provider=provider)
        if not known.exists():
            SamlConfiguration.objects.create(
                identity_provider=provider, id_attribute=UID, confirms_email=True, allows_idp_initiated=True, **told
            )
        elif not known.filter(**told).exists():
            known.update(**told)


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait(timeout=10)
