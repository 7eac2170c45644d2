"""The optional ports of the adapter: what the contract leaves open."""

from datetime import timedelta

import pytest
from accounts_and_runs import make_account, make_run
from common.djangoapps.student.models import AccountRecovery, CourseEnrollment
from completion.models import BlockCompletion
from django.utils import timezone
from lms.djangoapps.certificates.models import GeneratedCertificate
from opaque_keys.edx.keys import CourseKey
from openedx.core.djangoapps.content.course_overviews.models import CourseOverview
from social_django.models import UserSocialAuth

from program_enrollments.host import get_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def learner():
    return make_account()


def take_seat(user, **dates):
    course = make_run("audit", "masters")
    key = CourseKey.from_string(course)
    CourseOverview.objects.filter(id=key).update(**dates)
    CourseEnrollment.enroll(user, key, mode="audit")
    return course


def complete(user, course, block, *, days_ago):
    key = CourseKey.from_string(course)
    row = BlockCompletion.objects.create(
        user=user, context_key=key, block_key=key.make_usage_key("html", block), block_type="html", completion=1.0
    )
    BlockCompletion.objects.filter(pk=row.pk).update(modified=timezone.now() - timedelta(days=days_ago))


def links(user, *courses):
    return dict(get_host().resume_links.fetch_resume_links(user_id=user.pk, course_ids=courses))


def test_a_resume_link_leads_to_the_block_that_was_completed_last(learner):
    begun, new = take_seat(learner), take_seat(learner)
    complete(learner, begun, "first", days_ago=1)
    complete(learner, begun, "second", days_ago=3)
    complete(make_account(), new, "of-somebody-else", days_ago=0)

    found = links(learner, begun, new)

    block = str(CourseKey.from_string(begun).make_usage_key("html", "first"))
    assert found == {
        begun: f"/courses/{begun}/jump_to/{block}",
        new: f"https://apps.lms.example/learning/course/{new}/home",
    }


def test_runs_that_cannot_be_opened_have_no_link(learner):
    later = take_seat(learner, start=timezone.now() + timedelta(days=1))
    ended = take_seat(learner)
    CourseEnrollment.unenroll(learner, CourseKey.from_string(ended))

    assert links(learner, later, ended, make_run("audit")) == {}


@pytest.mark.parametrize(
    ("status", "dates", "is_shown"),
    [
        ("downloadable", {"self_paced": True}, True),
        ("downloadable", {"end": timezone.now() - timedelta(days=1)}, True),
        ("downloadable", {"end": timezone.now() + timedelta(days=1)}, False),
        ("downloadable", {}, False),
        ("generating", {"self_paced": True}, False),
        ("unavailable", {"self_paced": True}, False),
    ],
)
def test_only_finished_certificates_of_finished_runs_are_shown(learner, status, dates, is_shown):
    course = take_seat(learner, **dates)
    GeneratedCertificate.objects.create(
        user=learner, course_id=CourseKey.from_string(course), verify_uuid="0" * 32, status=status
    )

    found = get_host().certificates.fetch_certificates(user_id=learner.pk, course_ids=[course])

    assert dict(found) == ({course: f"/certificates/{'0' * 32}"} if is_shown else {})


def test_an_account_with_a_confirmed_recovery_address_can_do_without_the_university(learner, settings):
    port = get_host().keep_account
    UserSocialAuth.objects.create(user=learner, provider="tpa-saml", uid="uni-idp:S-1")
    recovery = AccountRecovery.objects.create(user=learner, secondary_email="me@home.example", is_active=False)
    assert port.keep_account_url(user_id=learner.pk) == "https://apps.lms.example/account"

    recovery.is_active = True
    recovery.save()
    assert port.keep_account_url(user_id=learner.pk) == ""
    assert port.keep_account_url(user_id=learner.pk + 1) == ""

    AccountRecovery.objects.all().delete()
    settings.ACCOUNT_MICROFRONTEND_URL = None
    assert port.keep_account_url(user_id=learner.pk) == ""
