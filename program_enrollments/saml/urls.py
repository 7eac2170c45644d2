"""Paths of single sign-on: `path("sso/", include("program_enrollments.saml.urls"))`."""

from __future__ import annotations

from django.urls import path

from program_enrollments.saml import connections, outcomes, views

app_name = "sign_on"

urlpatterns = [
    path("", views.index, name="index"),
    path("metadata.xml", views.metadata, name="metadata"),
    path("acs/", views.acs, name="acs"),
    path("connect/", connections.connect, name="connect"),
    path("outcome/", outcomes.outcome, name="outcome"),
    # Slugs and keys that were not written in the admin can contain a slash.
    path("start/<path:slug>/", views.start, name="start"),
    path("schools/<path:key>/", views.school, name="school"),
]
