"""Paths of the dashboard: `path("programs/", include("program_enrollments.dashboard.urls"))`."""

from __future__ import annotations

from django.urls import path

from program_enrollments.dashboard import confirmation, home, own_data, program
from program_enrollments.dashboard.base import NothingHere

app_name = "dashboard"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("all/", home.AllPrograms.as_view(), name="all"),
    path("my-data/", own_data.OwnDataPage.as_view(), name="own-data"),
    path("confirmations/", confirmation.CheckConfirmation.as_view(), name="confirmation"),
    path("<uuid:program>/", program.ProgramPage.as_view(), name="program"),
    path("<path:path>", NothingHere.as_view(), name="nothing-here"),
]
