"""Job links: where the pages around a file are, as the templates of every kind of file use them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from program_enrollments import api


def job_links(presented: api.PresentedFile, *, kind: str, place: Any) -> dict[str, str]:
    """Return the addresses around a file by name, "" for a file that there is not.

    `kind` is what names of URLs begin with, "file" or "rekey"; `place` is the program or school in their paths.
    """
    job = presented.job

    def link(name: str, pk: int | None) -> str:
        return reverse(f"console:{name}", args=[place, pk]) if pk is not None else ""

    return {
        "started": link(kind, presented.started.pk if presented.started is not None else None),
        "undone_by": link(kind, presented.undone_by),
        "undoes": link(kind, job.undoes_id),
        "undo": link(f"{kind}-undo", job.undoes_id),
        "undo_preview": link(f"{kind}-undo-preview", job.pk),
        "cancel": link(f"{kind}-cancel", job.pk),
        "resume": link(f"{kind}-resume", job.pk),
    }
