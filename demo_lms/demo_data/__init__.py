"""The demo's data: two universities with programs, learners, clients, a sandbox, a held file. Again changes nothing."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from demo_lms.demo_data.catalog import seed_schools
from demo_lms.demo_data.clients import ADMIN_USERNAME, seed_admin, seed_administrators, seed_clients
from demo_lms.demo_data.contacts import seed_contacts
from demo_lms.demo_data.feeds import seed_feeds
from demo_lms.demo_data.held_file import seed_held_file
from demo_lms.demo_data.people import seed_people
from demo_lms.demo_data.webhooks import seed_webhooks
from program_enrollments import api


def seed(*, base_url: str, now: datetime) -> None:
    """Make what the demo needs and isn't there. `base_url` is the site's address, such as `http://127.0.0.1:8000`."""
    seed_schools(base_url=base_url, now=now)
    api.make_sandbox(school_key="uni-a")
    seed_clients()
    seed_administrators()
    seed_people(now=now)
    seed_held_file()
    seed_feeds(now=now)
    seed_contacts(now=now)
    seed_webhooks(base_url=base_url, now=now)
    # Last, because it is what shows that all the rest is there.
    seed_admin()


def is_seeded() -> bool:
    """Return whether `seed` has gone through once."""
    return User.objects.filter(username=ADMIN_USERNAME).exists()
