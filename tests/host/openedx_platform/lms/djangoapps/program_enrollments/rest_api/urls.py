"""Paths of the platform's own API; each answers with its name."""

from django.http import JsonResponse
from django.urls import include, path, re_path

app_name = "lms.djangoapps.program_enrollments"

UUID = r"(?P<program_uuid>[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12})"


def answer(request, name, **kwargs):
    return JsonResponse({"platform": name})


v1 = [
    path("programs/enrollments/", answer, {"name": "own"}, name="learner_program_enrollments"),
    path("programs/readonly_access/", answer, {"name": "readonly"}, name="user_program_readonly_access"),
    re_path(rf"^programs/{UUID}/enrollments/$", answer, {"name": "enrollments"}, name="program_enrollments"),
    re_path(rf"^programs/{UUID}/overview/", answer, {"name": "overview"}, name="program_course_enrollments_overview"),
    re_path(
        rf"^users/(?P<username>[^/]+)/programs/{UUID}/courses", answer, {"name": "user"}, name="user_program_courses"
    ),
    path("integration-reset", answer, {"name": "reset"}, name="reset_enrollment_data"),
]
urlpatterns = [path("v1/", include((v1, "v1")))]
