"""`adopt_platform`: make schools of Open edX's SAML providers (docs/openedx.rst)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from program_enrollments import api
from program_enrollments.catalog_sources.discovery_shape import read_programs
from program_enrollments.host.openedx.programs import read_cached_programs
from program_enrollments.host.openedx.providers import PlatformProvider, is_third_party_auth_there, read_providers
from program_enrollments.management.catalog_report import CatalogReport

TOLD = {
    api.Adoption.PRESENT: "is here already, at {school}.",
    api.Adoption.ELSEWHERE: "is here at {school}, not at its organization's school. Left as it is.",
    api.Adoption.NO_SCHOOL: "belongs to no organization. Name its school: --school {slug}=KEY",
    api.Adoption.OTHER_BACKEND: "uses a backend outside SAML_BACKENDS, so its IDs would not be read. Left out.",
    api.Adoption.UNUSABLE: "cannot be adopted: its slug or its school's key {school} has characters that are not "
    "allowed. Name another school: --school {slug}=KEY",
}


class Command(BaseCommand):
    help = (
        "Makes schools and identity providers of Open edX's SAML providers and their organizations. The slugs stay, so "
        "identities that the platform has stored count as they are. What is here already is never changed. Who may "
        "assert a school's student IDs follows from this: look at --dry-run first, and leave other providers out with "
        "--only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Write nothing, and show what would be done.")
        parser.add_argument("--only", action="append", metavar="SLUG", help="Adopt this provider only. Repeatable.")
        parser.add_argument(
            "--school",
            action="append",
            default=[],
            metavar="SLUG=KEY",
            help="The key of a provider's school, in place of its organization's short name. Repeatable.",
        )
        parser.add_argument(
            "--programs", action="store_true", help="Load the programs that the platform has cached, too."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_third_party_auth_there():
            raise CommandError("This LMS has no app third_party_auth: there is nothing to adopt.")
        providers = read_providers()
        schools = dict(_parse_school(text) for text in options["school"])
        unknown = ({*schools} | {*(options["only"] or [])}) - {provider.slug for provider in providers}
        if unknown:
            raise CommandError(f"The platform has no enabled SAML provider {', '.join(sorted(unknown))}.")
        offered = [
            _offer(provider, schools)
            for provider in providers
            if options["only"] is None or provider.slug in options["only"]
        ]
        dry_run = options["dry_run"]
        outcomes = api.adopt_providers(offered=offered, dry_run=dry_run)
        for one in outcomes:
            self._tell(one, dry_run=dry_run)
        if options["programs"]:
            report = CatalogReport(self, dry_run=dry_run, verbosity=options["verbosity"])
            for outcome in api.load_catalog(
                programs=read_programs(read_cached_programs(), schools={}), dry_run=dry_run
            ):
                report.tell(outcome)
            report.close()
        if any(one.outcome in (api.Adoption.NO_SCHOOL, api.Adoption.UNUSABLE) for one in outcomes):
            raise CommandError(
                "Not every provider has a school; see above. Leave out those of other purposes with --only."
            )

    def _tell(self, one: api.AdoptedProvider, *, dry_run: bool) -> None:
        if one.outcome == api.Adoption.ADOPTED:
            school = f"the new school {one.school_key}" if one.is_new_school else one.school_key
            self.stdout.write(f"{one.slug}: {'would be adopted' if dry_run else 'adopted'} at {school}.")
            return
        told = TOLD[one.outcome].format(slug=one.slug, school=one.school_key)
        stream = self.stdout if one.outcome == api.Adoption.PRESENT else self.stderr
        stream.write(f"{one.slug}: {told}")


def _offer(provider: PlatformProvider, schools: dict[str, str]) -> api.OfferedProvider:
    named = schools.get(provider.slug)
    return api.OfferedProvider(
        slug=provider.slug,
        name=provider.name,
        backend=provider.backend,
        school_key=named or provider.organization,
        school_name="" if named else provider.organization_name,
    )


def _parse_school(text: str) -> tuple[str, str]:
    slug, _, key = text.partition("=")
    if not slug or not key:
        raise CommandError(f"--school {text}: write the provider's slug, “=” and the school's key.")
    return slug, key
