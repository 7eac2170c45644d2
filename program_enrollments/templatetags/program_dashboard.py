"""The dashboard inside a page of the host: `{% load program_dashboard %}`.

`{% program_dashboard_styles %}` belongs into the head, `{% program_dashboard %}` where the programs are to stand. Both
need the request in the context. Everything is below one class, and the host's own rules win (ADR 0017).
"""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from program_enrollments import api
from program_enrollments.dashboard.home import describe_dashboard
from program_enrollments.pages.time_zones import zone_of

register = template.Library()


@register.inclusion_tag("program_enrollments/dashboard/fragment.html", takes_context=True)
def program_dashboard(context: Any, *, dark: bool = False) -> dict[str, Any]:
    """Show the programs of the person who is signed in; nothing for anybody else.

    With `dark`, the programs are dark where the viewer prefers that: only for a page that is dark then, too.
    """
    request = context["request"]
    if not request.user.is_authenticated:
        return {"is_shown": False}
    dashboard = api.fetch_dashboard(user=request.user, now=timezone.now())
    with timezone.override(zone_of(request)):
        described = describe_dashboard(dashboard)
    # Of django-csp, or of Django itself: a host without either needs none.
    nonce = str(getattr(request, "csp_nonce", "") or context.get("csp_nonce", "") or "")
    return {**described, "is_shown": True, "dark": dark, "nonce": nonce}


@register.inclusion_tag("program_enrollments/dashboard/fragment_styles.html")
def program_dashboard_styles() -> dict[str, Any]:
    """Link the stylesheet of the fragment."""
    return {}
