"""The API's documentation, as a page to read and to try things out on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe


@require_safe
@ensure_csrf_cookie
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the API's OpenAPI document. Who is signed in may try it out at once; that needs the cookie to write."""
    return render(request, "demo_lms/api_docs.html")
