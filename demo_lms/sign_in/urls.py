"""Paths of the pages that are for development only."""

from __future__ import annotations

from django.urls import path

from demo_lms.pages.hooks import receive_webhook
from demo_lms.pages.outbox import outbox
from demo_lms.sign_in.development import development_sign_in

urlpatterns = [
    path("sign-in/", development_sign_in, name="development_sign_in"),
    path("hooks/", receive_webhook, name="receive_webhook"),
    path("outbox/", outbox, name="outbox"),
]
