"""The demo's URLs and a page of the API that tells who the caller is."""

from __future__ import annotations

from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from demo_lms.urls import urlpatterns as demo_urlpatterns


@api_view(["GET", "POST"])
def whoami(request: Request) -> Response:
    return Response({"username": request.user.get_username()})


urlpatterns = [*demo_urlpatterns, path("whoami/", whoami)]
