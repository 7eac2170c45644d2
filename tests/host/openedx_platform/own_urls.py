"""The platform's paths and the app's pages for browsers, as docs/openedx.rst says an operator mounts them."""

from django.urls import include, path
from lms.urls import urlpatterns as of_the_platform

urlpatterns = [
    path("console/", include("program_enrollments.console.urls")),
    path("programs/", include("program_enrollments.dashboard.urls")),
    path("sso/", include("program_enrollments.saml.urls")),
    *of_the_platform,
]
