"""Who is mailed at University A when a file needs a person. The demo's outbox is a page of it."""

from __future__ import annotations

from datetime import datetime

from program_enrollments import api
from program_enrollments.models import School

ADDRESS = "registrar@uni-a.example"


def seed_contacts(*, now: datetime) -> None:
    """Name the registrar's office of University A, unless somebody is named."""
    school = School.objects.get(key="uni-a")
    if not api.fetch_contacts(school=school):
        api.add_contact(access=api.access_of(user=None), school=school, email=ADDRESS, now=now)
