"""File uploads: a file is chosen, and a dry run shows what it would do."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO, cast

from django.http import HttpRequest, HttpResponse

from program_enrollments import api
from program_enrollments.console.base import ProgramPage
from program_enrollments.console.file_forms import UploadForm
from program_enrollments.console.forms import refuse
from program_enrollments.data import JobKind, Permission
from program_enrollments.exceptions import InvalidFile, StorageUnavailable

CHUNK_BYTES = 256 * 1024


class SendFile(ProgramPage):
    """The form for a file; what is sent is previewed, and started from the preview."""

    section = "files"
    reads_with = Permission.WRITE_ENROLLMENTS
    template_name = "program_enrollments/console/send_file.html"

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        initial = {name: request.GET[name] for name in ("kind", "mode") if name in request.GET}
        return self.show_form(UploadForm(initial=initial), status=200)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show_form(form, status=400)
        try:
            job = api.upload_file(
                program=self.program,
                kind=JobKind(form.cleaned_data["kind"]),
                sent=_read(form.cleaned_data["file"]),
                options=form.options(),
                origin=self.origin(),
            )
        except InvalidFile as error:
            refuse(form, error.message, field="file")
            return self.show_form(form, status=400)
        except StorageUnavailable as error:
            refuse(form, error.message, field="file")
            return self.show_form(form, status=503)
        return self.go(self.url("file", job.pk))

    def show_form(self, form: UploadForm, *, status: int) -> HttpResponse:
        """Return the page with the form and what belongs into a file."""
        described = api.describe_program(access=self.access, program=self.program)
        curricula = [one for one in described["curricula"] if one["is_active"]]
        return self.show({"form": form, "curricula": curricula, "list_url": self.url("files")}, status=status)


def _read(file: Any) -> api.SentFile:
    digest = hashlib.sha256()
    for chunk in file.chunks(CHUNK_BYTES):
        digest.update(chunk)
    return api.SentFile(cast("BinaryIO", file.file), str(file.name or ""), int(file.size or 0), digest.hexdigest())
