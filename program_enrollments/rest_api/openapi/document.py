"""The OpenAPI document, generated once per process."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings

from program_enrollments import __version__

URLCONF = "program_enrollments.rest_api.urls"
MOUNT = "/api/program_enrollments"

DESCRIPTION = """\
Enroll students in degree programs and their course runs before they have accounts, and follow what becomes of them.

Lists come in pages: follow `next` until it is null. Writes of many rows answer each row with a word: 200 if all are
good, 207 if some are, 422 if none is. Every refusal is a problem document (RFC 9457) whose `error_code` is the
word to rely on.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Program enrollments",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": MOUNT}],
    "SCHEMA_PATH_PREFIX": "/v1",
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
    "TAGS": [
        {"name": "Programs", "description": "Programs and their course runs, as the catalog's mirror has them."},
        {"name": "Program enrollments", "description": "Who is in a program."},
        {"name": "Course enrollments", "description": "Who is in a course run, through a program."},
        {"name": "Jobs", "description": "Files that are checked as a whole, weighed, and applied."},
        {"name": "Grades", "description": "Final grades, and versions of them that never change."},
        {"name": "Attendance", "description": "When and how much learners took part."},
        {"name": "Learners", "description": "Why isn't this student in?"},
        {"name": "Changes", "description": "What changed, in the order in which it did."},
        {"name": "Me", "description": "The signed-in person's own programs."},
        {"name": "Description", "description": "This document."},
    ],
}
"""Settings of drf-spectacular. `make schema` passes them to its command."""

_generating = Lock()


@lru_cache(maxsize=4)
def build_document(*, mount: str = MOUNT) -> dict[str, Any]:
    """Return the OpenAPI document of the API mounted at the path `mount` (without a slash at its end).

    It is generated once per process, because drf-spectacular's settings are changed for the whole process meanwhile.
    """
    with _generating, patched_settings({**SETTINGS, "SERVERS": [{"url": mount}]}):
        generator = SchemaGenerator(urlconf=URLCONF)  # type: ignore[no-untyped-call]
        document: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document
