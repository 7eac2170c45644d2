"""Programs as Course Discovery describes them: plain JSON, without the many members that are not read."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def discovery_run(key: str = "course-v1:UniA+CS1+2026", **more: Any) -> dict[str, Any]:
    """A course run."""
    return {
        "key": key,
        "external_key": f"ext-{key.split('+')[1]}",
        "title": f"Title of {key}",
        "marketing_url": f"https://catalog.example/{key.split('+')[1]}",
        "start": "2026-09-01T00:00:00Z",
        "end": None,
        "pacing_type": "instructor_paced",
        **more,
    }


def discovery_course(*runs: dict[str, Any]) -> dict[str, Any]:
    """A course with these runs."""
    return {"key": "UniA+CS", "uuid": str(uuid4()), "course_runs": list(runs)}


def discovery_curriculum(*runs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A curriculum with one course, which has these runs."""
    return {
        "uuid": str(uuid4()),
        "name": "Curriculum",
        "is_active": True,
        "courses": [discovery_course(*runs)],
        "programs": [],
        **more,
    }


def discovery_program(*curricula: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A program of the organization `UniA` with these curricula."""
    return {
        "uuid": str(uuid4()),
        "title": "Master of Science",
        "type": "Masters",
        "status": "active",
        "marketing_slug": "master-of-science",
        "marketing_url": "https://catalog.example/masters/science",
        "authoring_organizations": [{"key": "UniA", "name": "University A"}],
        "courses": [],
        "curricula": list(curricula),
        **more,
    }
