"""Paths of the accounts' pages."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from demo_lms.accounts import views
from demo_lms.sign_in.schools import fetch_sign_in_choices
from program_enrollments.api import fetch_sign_on_choices

urlpatterns = [
    path("sign-up/", views.sign_up, name="sign_up"),
    path(
        "sign-in/",
        LoginView.as_view(
            template_name="demo_lms/accounts/sign_in.html",
            extra_context={"identity_providers": fetch_sign_in_choices, "sign_on_choices": fetch_sign_on_choices},
        ),
        name="login",
    ),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("keep/", views.keep_account, name="keep_account"),
    path("email/", views.email, name="email"),
    path("email/send-link/", views.send_link, name="send_link"),
    path("email/confirm/<str:token>/", views.confirm_email, name="confirm_email"),
]
