"""Schools: what a school says about itself, to its learners and administrators."""

from __future__ import annotations

from dataclasses import dataclass

from program_enrollments.models import School


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A school's brand, contact, welcome text and guard; colors are `#rrggbb` or blank."""

    name: str
    logo_url: str = ""
    primary_color: str = ""
    text_color: str = ""
    support_name: str = ""
    support_email: str = ""
    welcome_text: str = ""
    guard_minimum: int = 10
    guard_percent: int = 20


def present_school(*, school: School, presentation: Presentation) -> School:
    """Let a school be presented like this, and return it."""
    for name in Presentation.__slots__:
        setattr(school, name, getattr(presentation, name))
    school.save(update_fields=[*Presentation.__slots__, "modified"])
    return school
