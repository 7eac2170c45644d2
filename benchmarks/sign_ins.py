"""Sign-ins: as social-auth and the host carry them out, with the app and without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.sampling import Sample, measure
from benchmarks.world import PROVIDER, SLUG, student_key


def first_sign_in(prefix: str, number: int) -> Sample:
    """Sign somebody in for the first time: the account is saved, then the identity, then the account again."""
    from django.contrib.auth.models import User  # noqa: PLC0415  (needs the stand's settings)
    from django.utils import timezone  # noqa: PLC0415
    from social_django.models import UserSocialAuth  # noqa: PLC0415

    key = student_key(prefix, number)

    def work() -> None:
        user = User.objects.create(username=key, password="!")
        UserSocialAuth.objects.create(user=user, provider=PROVIDER, uid=f"{SLUG}:{key}")
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])

    return measure(work)


def later_sign_in(prefix: str, number: int) -> Sample:
    """Sign somebody in again, for whom nothing waits any more."""
    from django.contrib.auth.models import User  # noqa: PLC0415  (needs the stand's settings)
    from django.utils import timezone  # noqa: PLC0415
    from social_django.models import UserSocialAuth  # noqa: PLC0415

    key = student_key(prefix, number)
    user = User.objects.get(username=key)
    identity = UserSocialAuth.objects.get(user=user)

    def work() -> None:
        identity.save()
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])

    return measure(work)


def first_sign_in_without_the_app(prefix: str, number: int) -> Sample:
    """The same as `first_sign_in`, with the app's receivers disconnected."""
    with _disconnected():
        return first_sign_in(prefix, number)


def later_sign_in_without_the_app(prefix: str, number: int) -> Sample:
    """The same as `later_sign_in`, with the app's receivers disconnected."""
    with _disconnected():
        return later_sign_in(prefix, number)


def sign_in_for(prefix: str, seconds: float, first: int) -> list[float]:
    """Sign people in, one after the other from number `first` on, for so long; return what each sign-in took."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        took.append(first_sign_in(prefix, first + len(took)).seconds)
    return took


@contextmanager
def _disconnected() -> Iterator[None]:
    from django.contrib.auth.models import User  # noqa: PLC0415  (needs the stand's settings)
    from django.db.models.signals import post_save  # noqa: PLC0415
    from social_django.models import UserSocialAuth  # noqa: PLC0415

    from program_enrollments import receivers  # noqa: PLC0415

    senders = (User, UserSocialAuth)
    for sender in senders:
        name = f"university_enrollments_saved_{sender._meta.label_lower}"
        if not post_save.disconnect(sender=sender, dispatch_uid=name):
            raise RuntimeError(f"No receiver is called {name} any more.")
    try:
        yield
    finally:
        for sender in senders:
            receivers.connect_class(sender)
