"""The platform's paths: its own, then those of plug-ins, then some that come later."""

from common.djangoapps.third_party_auth.sign_on_pages import complete, register
from django.http import HttpResponse
from django.urls import include, path
from edx_django_utils.plugins import get_plugin_url_patterns

certificates = [
    path(
        "<slug:certificate_uuid>",
        lambda request, certificate_uuid: HttpResponse(certificate_uuid),
        name="render_cert_by_uuid",
    )
]
urlpatterns = [
    path("login", lambda request: HttpResponse("Sign in"), name="signin_user"),
    path("register", register),
    path("auth/complete/tpa-saml/", complete),
    path(
        "courses/<str:course_id>/jump_to/<path:location>",
        lambda request, course_id, location: HttpResponse(location),
        name="jump_to",
    ),
    path("certificates/", include((certificates, "certificates"))),
]
urlpatterns += get_plugin_url_patterns("lms.djangoapp")
urlpatterns += [path("courses/<path:course>/", lambda request, course: HttpResponse(course), name="course_home")]
