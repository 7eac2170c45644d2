"""Where everything is."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from demo_lms.oauth2.views import AccessTokenView
from demo_lms.pages.api_docs import api_docs
from demo_lms.pages.courses import certificate, course, finish_unit
from demo_lms.pages.dashboard import dashboard
from demo_lms.pages.home import home

urlpatterns = [
    path("", home, name="home"),
    path("dashboard/", dashboard, name="dashboard"),
    path("courses/<path:course_id>/finish-unit/", finish_unit, name="finish_unit"),
    path("courses/<path:course_id>/certificate/", certificate, name="certificate"),
    path("courses/<path:course_id>/", course, name="course"),
    path("accounts/", include("demo_lms.accounts.urls")),
    path("sso/", include("program_enrollments.saml.urls")),
    path("programs/", include("program_enrollments.dashboard.urls")),
    path("console/", include("program_enrollments.console.urls")),
    path("auth/", include("social_django.urls", namespace="social")),
    # Without a slash at the end: the path that existing clients ask.
    path("oauth2/access_token", AccessTokenView.as_view(), name="access_token"),
    path("api/docs/", api_docs, name="api_docs"),
    path("api/program_enrollments/", include("program_enrollments.rest_api.urls")),
    path("dev/", include("demo_lms.sign_in.urls")),
    path("admin/", admin.site.urls),
]
