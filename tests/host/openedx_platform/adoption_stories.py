"""Adopting what the platform has: SAML providers, organizations, cached programs."""

import io
import uuid

import pytest
from common.djangoapps.third_party_auth.models import SAMLProviderConfig
from django.contrib.sites.models import Site
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from organizations.models import Organization
from platform_stories import register, sign_on

from program_enrollments.models import IdentityProvider, Learner, Program, School

pytestmark = pytest.mark.django_db(transaction=True)


def provider(slug, organization=None, **more):
    return SAMLProviderConfig.objects.create(
        slug=slug, name=f"{slug} name", organization=organization, **{"enabled": True, **more}
    )


@pytest.fixture
def university():
    return Organization.objects.create(name="Uni of Examples", short_name="UniX")


def adopt(*options, **more):
    out, err = io.StringIO(), io.StringIO()
    call_command("adopt_platform", *options, stdout=out, stderr=err, **more)
    return out.getvalue(), err.getvalue()


def adopted():
    return set(IdentityProvider.objects.values_list("slug", "school__key", "name", "is_enabled"))


def test_a_dry_run_shows_what_the_run_then_does_and_a_second_run_does_nothing(university):
    provider("unix-idp", university)

    assert adopt("--dry-run")[0] == "unix-idp: would be adopted at the new school UniX.\n"
    assert (School.objects.count(), adopted()) == (0, set())

    assert adopt()[0] == "unix-idp: adopted at the new school UniX.\n"
    assert adopted() == {("unix-idp", "UniX", "unix-idp name", True)}
    assert School.objects.get().name == "Uni of Examples"

    assert adopt()[0] == "unix-idp: is here already, at UniX.\n"
    assert adopted() == {("unix-idp", "UniX", "unix-idp name", True)}


def test_the_newest_row_of_a_slug_counts_and_disabled_and_archived_ones_are_left_out(university):
    other = Organization.objects.create(name="Other", short_name="Other")
    provider("unix-idp", other)
    provider("unix-idp", university, display_name="Uni sign-in")
    provider("off", university)
    provider("off", university, enabled=False)
    provider("gone", university, archived=True)

    adopt()

    assert adopted() == {("unix-idp", "UniX", "Uni sign-in", True)}


def test_what_is_here_already_is_never_changed(university):
    mine = School.objects.create(key="mine", name="Mine")
    IdentityProvider.objects.create(school=mine, slug="unix-idp", name="As I named it", is_enabled=False)
    provider("unix-idp", university)

    _, complaint = adopt()

    assert "unix-idp: is here at mine, not at its organization's school" in complaint
    assert adopted() == {("unix-idp", "mine", "As I named it", False)}


def test_a_provider_without_organization_needs_a_school_by_name(university):
    provider("corporate")
    provider("unix-idp", university)
    with pytest.raises(CommandError, match="Not every provider has a school"):
        adopt()
    assert {slug for slug, *_ in adopted()} == {"unix-idp"}

    adopt("--school", "corporate=UniX")

    assert {(slug, key) for slug, key, *_ in adopted()} == {("unix-idp", "UniX"), ("corporate", "UniX")}


def test_only_named_providers_are_adopted_and_unknown_names_are_refused(university):
    provider("unix-idp", university)
    provider("unix-guests", university)

    adopt("--only", "unix-idp")
    assert {slug for slug, *_ in adopted()} == {"unix-idp"}

    for options in (["--only", "nobody"], ["--school", "nobody=UniX"], ["--school", "unix-idp"]):
        with pytest.raises(CommandError):
            adopt(*options)


def test_other_backends_and_unusable_keys_are_left_out(university):
    provider("odd", university, backend_name="other-saml")
    nameless = Organization.objects.create(name="Long", short_name="x" * 65)
    provider("long", nameless)

    with pytest.raises(CommandError):
        adopt()

    assert (adopted(), School.objects.count()) == (set(), 0)


def test_identities_of_an_adopted_provider_count_as_the_platform_stored_them(university):
    provider("unix-idp", university)
    adopt()
    browser = Client()
    user = register(browser, "sasha")

    sign_on(browser, "unix-idp:S:1")

    assert list(Learner.objects.values_list("student_key", "user_id")) == [("S:1", user.pk)]


def test_cached_programs_of_all_sites_become_the_catalog(university):
    provider("unix-idp", university)
    number = str(uuid.uuid4())
    program = {
        "uuid": number,
        "title": "Master of Examples",
        "type": "Masters",
        "marketing_slug": "moe",
        "authoring_organizations": [{"key": "UniX"}],
        "curricula": [
            {
                "uuid": str(uuid.uuid4()),
                "name": "2026",
                "is_active": True,
                "courses": [{"course_runs": [{"key": "course-v1:UniX+1+2026", "title": "One"}]}],
                "programs": [],
            }
        ],
    }
    cache.set(f"program-{number}", program, None)
    for domain in ("one.example", "two.example"):
        Site.objects.create(domain=domain, name=domain)
        cache.set(f"program-uuids-{domain}", [number], None)

    out, _ = adopt("--programs")

    assert "Programs: 1 new" in out
    found = Program.objects.get(uuid=number)
    assert (found.school.key, found.title) == ("UniX", "Master of Examples")
    assert [run.course_id for run in found.curricula.get().course_runs.all()] == ["course-v1:UniX+1+2026"]
    cache.clear()
