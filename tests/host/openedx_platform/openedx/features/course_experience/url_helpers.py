from django.conf import settings


def get_learning_mfe_home_url(course_key, url_fragment=None, params=None):
    base = f"{settings.LEARNING_MICROFRONTEND_URL}/course/{course_key}"
    return f"{base}/{url_fragment}" if url_fragment else base
