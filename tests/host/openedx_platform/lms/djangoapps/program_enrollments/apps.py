"""The platform's own program enrollments, a plug-in with our package's last name and our root."""

from django.apps import AppConfig


class ProgramEnrollmentsConfig(AppConfig):
    name = "lms.djangoapps.program_enrollments"

    plugin_app = {
        "url_config": {
            "lms.djangoapp": {
                "namespace": "programs_api",
                "regex": "api/program_enrollments/",
                "relative_path": "rest_api.urls",
            }
        }
    }
