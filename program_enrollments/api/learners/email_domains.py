"""The e-mail domains of a school: which there are, and whether an address is in them."""

from __future__ import annotations

from collections.abc import Collection

from program_enrollments.models import SchoolEmailDomain


def fetch_email_domains(*, school_id: int) -> frozenset[str]:
    """Return the school's e-mail domains, normalized; empty where it lists none and every domain is fine."""
    return frozenset(
        domain
        for domain in SchoolEmailDomain.objects.filter(school_id=school_id).values_list("domain_normalized", flat=True)
        if domain
    )


def is_within_domains(*, email_normalized: str, domains: Collection[str]) -> bool:
    """Whether an address is in one of `domains` or below one; always, where there are none."""
    if not domains:
        return True
    domain = email_normalized.rpartition("@")[2]
    return any(domain == allowed or domain.endswith(f".{allowed}") for allowed in domains)
