"""Evidence: the sign-ons in social-auth's table, and whether they still count.

Whatever the collation of the host's columns finds, names are compared exactly here: neither `TPA-SAML` nor `uni-a ` is
the backend or the slug that it looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import router
from django.db.models import QuerySet
from social_django.models import UserSocialAuth

from program_enrollments.conf import get_setting
from program_enrollments.models import IdentityProvider
from program_enrollments.normalization import is_pseudonym, normalize_identity, split_uid

FIELDS = ("pk", "user_id", "provider", "uid", "created")


class SignOn(NamedTuple):
    """A social-auth row of an account: its slug, its normalized student ID, and its age."""

    id: int
    user_id: int
    provider: str
    uid: str
    created: datetime
    slug: str
    student_key: str

    def counts_since(self, key_since: datetime | None) -> bool:
        """Whether the sign-on is by the present holder of the student ID, who has held it since `key_since`."""
        return key_since is None or self.created >= key_since


def fetch_linking_providers() -> QuerySet[IdentityProvider]:
    """Return the identity providers whose sign-ons link: enabled ones, not of schools for practice."""
    return IdentityProvider.objects.filter(is_enabled=True, school__is_sandbox=False)


def fetch_slugs(*, school_id: int, linking_only: bool = False) -> frozenset[str]:
    """Return the slugs of the school's identity providers, or only of those whose sign-ons link."""
    providers = fetch_linking_providers() if linking_only else IdentityProvider.objects.all()
    return frozenset(providers.filter(school_id=school_id).values_list("slug", flat=True))


def read_sign_ons(rows: Iterable[tuple[int, int, str, str, datetime]], *, slugs: Collection[str]) -> list[SignOn]:
    """Return those of `rows` (see `FIELDS`) that name a student under one of `slugs`.

    Their backend is a university's.
    """
    backends = get_setting("SAML_BACKENDS")
    sign_ons = []
    for pk, user_id, provider, uid, created in rows:
        parts = split_uid(uid) if provider in backends else None
        if parts is None or parts[0] not in slugs:
            continue
        student_key = normalize_identity(parts[1])
        if student_key and not is_pseudonym(student_key):
            sign_ons.append(SignOn(pk, user_id, provider, uid, created, parts[0], student_key))
    return sign_ons


def fetch_sign_ons(
    *, slugs: Collection[str], spellings: Collection[str] = (), user_ids: Collection[int] = ()
) -> list[SignOn]:
    """Return the sign-ons that name a student ID in `spellings`, or belong to `user_ids`.

    All are under one of `slugs`.

    The host's table is indexed by the uid as it was asserted. A uid in yet another spelling is found by its account or
    by the sweep. Reads where writes go. One statement per kind.
    """
    if not slugs:
        return []
    found: dict[int, tuple[int, int, str, str, datetime]] = {}
    kept = UserSocialAuth.objects.using(router.db_for_write(UserSocialAuth)).order_by()
    kept = kept.filter(provider__in=get_setting("SAML_BACKENDS"))
    if spellings:
        uids = {f"{slug}:{spelling}" for slug in slugs for spelling in spellings}
        found.update((row[0], row) for row in kept.filter(uid__among=uids).values_list(*FIELDS))
    if user_ids:
        found.update((row[0], row) for row in kept.filter(user_id__in=user_ids).values_list(*FIELDS))
    return read_sign_ons((found[pk] for pk in sorted(found)), slugs=slugs)


def remove_sign_ons(*, sign_ons: Iterable[SignOn]) -> None:
    """Take these identities from their accounts: nobody signs on to an account with them any more."""
    ids = [sign_on.id for sign_on in sign_ons]
    if ids:
        UserSocialAuth.objects.filter(pk__in=ids).delete()
