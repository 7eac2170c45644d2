"""Adoption of identity providers that the host has already, with the schools they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import TextChoices

from program_enrollments.api.transactions import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.models import IdentityProvider, School


class Adoption(TextChoices):
    """What became, or would become, of a provider of the host."""

    ADOPTED = "adopted"
    PRESENT = "present"
    ELSEWHERE = "elsewhere"
    NO_SCHOOL = "no-school"
    OTHER_BACKEND = "other-backend"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class OfferedProvider:
    """A provider of the host. `school_key` is empty if nothing says whose it is."""

    slug: str
    name: str
    backend: str
    school_key: str
    school_name: str


@dataclass(frozen=True, slots=True)
class AdoptedProvider:
    """The outcome for one offered provider. `school_key` is the school it is, or would be, at."""

    slug: str
    school_key: str
    outcome: Adoption
    is_new_school: bool = False


def adopt_providers(*, offered: Sequence[OfferedProvider], dry_run: bool = False) -> list[AdoptedProvider]:
    """Make schools and identity providers of what the host offers, and return one outcome for each.

    What is here already is never changed: a slug that another school has stays there, and a disabled provider stays
    disabled. Providers of backends outside `SAML_BACKENDS` are left out, because nothing reads their identities.
    """

    def work() -> list[AdoptedProvider]:
        slugs = {provider.slug for provider in offered}
        owners = dict(IdentityProvider.objects.filter(slug__in=slugs).values_list("slug", "school__key"))
        keys = {provider.school_key for provider in offered if provider.school_key}
        schools = {school.key: school for school in School.objects.filter(key__in=keys)}
        known = set(schools)
        return [_adopt(provider, owners, schools, known, dry_run=dry_run) for provider in offered]

    return in_transaction(work)


def _adopt(
    provider: OfferedProvider, owners: Mapping[str, str], schools: dict[str, School], known: set[str], *, dry_run: bool
) -> AdoptedProvider:
    key = provider.school_key
    if provider.slug in owners:
        outcome = Adoption.PRESENT if key in ("", owners[provider.slug]) else Adoption.ELSEWHERE
        return AdoptedProvider(provider.slug, owners[provider.slug], outcome)
    if provider.backend not in get_setting("SAML_BACKENDS"):
        return AdoptedProvider(provider.slug, key, Adoption.OTHER_BACKEND)
    if not key:
        return AdoptedProvider(provider.slug, "", Adoption.NO_SCHOOL)
    school = schools.get(key) or School(key=key, name=provider.school_name or key)
    row = IdentityProvider(slug=provider.slug, name=provider.name)
    try:
        row.clean_fields(exclude=["school"])
        if key not in schools:
            school.clean_fields()
    except ValidationError:
        return AdoptedProvider(provider.slug, key, Adoption.UNUSABLE)
    is_new = key not in known
    known.add(key)
    if not dry_run:
        if key not in schools:
            school.save()
            schools[key] = school
        row.school = school
        row.save()
    return AdoptedProvider(provider.slug, key, Adoption.ADOPTED, is_new_school=is_new)
