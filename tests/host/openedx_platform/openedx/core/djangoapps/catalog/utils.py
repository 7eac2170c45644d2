from django.core.cache import cache


def get_programs(site=None, uuid=None, uuids=None, course=None, catalog_course_uuid=None, organization=None):
    """Give what the cache has of a site; nothing after a flush."""
    return [cache.get(f"program-{each}") for each in cache.get(f"program-uuids-{site.domain}", [])]
