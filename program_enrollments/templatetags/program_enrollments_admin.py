"""Template tags for a host's own admin: `open_problems` shows what needs a person."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("admin/university_enrollments/open_problems.html", takes_context=True)
def open_problems(context: dict[str, Any], *, of_this_app: bool = False) -> dict[str, Any]:
    """Show how much of this app waits for a person, as far as the viewer may see it.

    An admin's index also serves the pages of single apps, which this tag leaves alone: this app's own shows it anyway.
    """
    # Django imports every module of tags, also on a host without an admin, where the models' pages can't be registered.
    from program_enrollments.admin.open_problems import present_open_problems  # noqa: PLC0415

    request = context.get("request")
    if request is None or ("app_label" in context and not of_this_app):
        return {"problems": []}
    return {"problems": present_open_problems(request)}
