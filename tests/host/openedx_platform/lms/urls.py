"""The platform's paths: its own, then those of plug-ins, then some that come later."""

from common.djangoapps.third_party_auth.sign_on_pages import complete, register
from django.http import HttpResponse
from django.urls import path
from edx_django_utils.plugins import get_plugin_url_patterns

urlpatterns = [
    path("login", lambda request: HttpResponse("Sign in"), name="signin_user"),
    path("register", register),
    path("auth/complete/tpa-saml/", complete),
]
urlpatterns += get_plugin_url_patterns("lms.djangoapp")
urlpatterns += [path("courses/<path:course>/", lambda request, course: HttpResponse(course), name="course_home")]
