"""Paths of requests that this app answers at the compatible root (`compatible_root`)."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from program_enrollments.rest_api.compatible_root import ROOT

urlpatterns = [
    path(ROOT, include("program_enrollments.rest_api.urls")),
    # For links to the site's other pages that are made during such a request.
    path("", include(settings.ROOT_URLCONF)),
]
