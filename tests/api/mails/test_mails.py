"""What a school's contacts are mailed: once each, in their language, with counts and a link, and nobody's name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from program_enrollments import api
from program_enrollments.api.mails import delivery
from program_enrollments.api.notices import Notice, add_notices
from program_enrollments.data import MailKind, Origin, Permission
from program_enrollments.exceptions import ContactRefused
from program_enrollments.models import Contact, Job, Mail, SamlConfiguration
from tests.api.conftest import World
from tests.api.feeds.conftest import Folder, feed_storage
from tests.api.jobs.conftest import Office, office
from tests.console.conftest import universities_certificate
from tests.factories.enrollment import GrantFactory, SchoolFactory
from tests.factories.host import UserFactory

__all__ = ["feed_storage", "office", "universities_certificate"]
NOBODY = api.access_of(user=None)
SITE = "https://lms.example"


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SITE_URL": SITE}


@pytest.fixture
def contact(world: World) -> Contact:
    return add(world, "office@uni-a.example")


def add(world: World, email: str, **options: Any) -> Contact:
    return api.add_contact(access=NOBODY, school=world.school, email=email, now=timezone.now(), **options)


def send(*, now: datetime | None = None) -> list[Any]:
    """Find what has happened and send what is due; return what was sent."""
    moment, before = now or timezone.now(), len(mail.outbox)
    api.derive_mails(now=moment)
    while api.deliver_mails(now=moment):
        continue
    return mail.outbox[before:]


def notice(number: int = 1) -> Notice:
    return Notice(MailKind.JOB_FAILED, f"job.failed:{number}", {"job": number, "count": 0})


def snapshot_of(office: Office, count: int) -> Job:
    lines = "".join(f"A-{number},a{number}@uni-a.example,enrolled\n" for number in range(count))
    return office.snapshot(f"student_key,email,status\n{lines}")


def html_of(letter: Any) -> str:
    ((content, kind),) = letter.alternatives
    assert kind == "text/html"
    return str(content)


class TestWhatIsMailed:
    def test_a_file_that_is_held(self, office: Office, contact: Contact) -> None:
        snapshot_of(office, 30)
        held = snapshot_of(office, 5)
        assert held.state == "held"

        (letter,) = send()

        assert letter.to == ["office@uni-a.example"]
        program, school = office.world.program, office.world.school
        assert letter.subject == f"{school.name}: A file waits for your decision: {program.title}"
        assert f"Job #{held.pk} would remove 25 learners, and is held." in letter.body
        link = f"{SITE}/console/programs/{program.uuid}/files/{held.pk}/"
        assert link in letter.body
        assert f'href="{link}"' in html_of(letter)
        assert send() == []

    def test_lines_that_were_refused(self, office: Office, contact: Contact) -> None:
        job = office.run("student_key,status\nA-1,enrolled\nA-2,enroled\nA-3,enroled\n")

        (letter,) = send()

        assert f"2 lines of job #{job.pk} were refused." in letter.body

    def test_nothing_of_a_preview_or_a_good_file(self, office: Office, contact: Contact) -> None:
        office.run("student_key,status\nA-2,enroled\n", dry_run=True)
        office.run("student_key,status\nA-1,enrolled\n")

        assert send() == []

    def test_student_ids_that_have_probably_changed(self, office: Office, contact: Contact) -> None:
        snapshot_of(office, 30)
        lines = "".join(f"A-{number},a{number}@uni-a.example,enrolled\n" for number in range(29))
        office.snapshot(f"student_key,email,status\n{lines}B-29,a29@uni-a.example,enrolled\n")

        (letter,) = send()

        assert "2 messages" in letter.subject
        assert "1 line has the e-mail address of a learner who is known by another student ID" in letter.body
        assert not re.search("A-29|B-29|a29", letter.body + html_of(letter))

    def test_a_file_that_failed_or_waits(self, office: Office, contact: Contact) -> None:
        first, second = (office.run(f"student_key,status\nA-{number},enrolled\n") for number in range(2))
        now = timezone.now()
        Job.objects.filter(pk=first.pk).update(state="failed", message="A-7 cannot be read")
        waiting = {"state": "waiting", "waiting_since": now - timedelta(minutes=50), "next_try": now}
        Job.objects.filter(pk=second.pk).update(finished=None, **waiting)

        (letter,) = send(now=now)
        assert f"Job #{first.pk} has failed." in letter.body
        assert "A-7" not in letter.body
        (letter,) = send(now=now + timedelta(minutes=10))
        assert f"Job #{second.pk} waits because the learning platform" in letter.body
        assert send(now=now + timedelta(minutes=20)) == []

    def test_what_failed_long_ago_is_no_news(self, office: Office, contact: Contact) -> None:
        job = office.run("student_key,status\nA-1,enroled\n")
        Job.objects.filter(pk=job.pk).update(finished=timezone.now() - timedelta(days=3))

        assert send() == []

    def test_a_feed_that_is_late_once_a_day(
        self, world: World, contact: Contact, feed_storage: Callable[..., Path]
    ) -> None:
        folder = Folder(feed_storage(), world.school, world.program)
        world.school.time_zone = "Europe/Berlin"
        world.school.save()
        folder.add_feed(pattern="mds-*.csv", expected_days=frozenset({1, 2}))
        Contact.objects.update(created_at=folder.now)

        # Six in the morning in Berlin, and a quarter of an hour.
        assert send(now=folder.now + timedelta(hours=4)) == []
        (letter,) = send(now=folder.now + timedelta(hours=4, minutes=15))
        assert "A file uni-a/mds-*.csv was expected until 2 Nov 2026, 06:00 (Europe/Berlin)." in letter.body
        assert f"{SITE}/console/schools/uni-a/feeds/" in letter.body
        assert send(now=folder.now + timedelta(hours=20)) == []
        assert len(send(now=folder.now + timedelta(days=1, hours=5))) == 1
        # On Wednesday nothing is expected.
        assert send(now=folder.now + timedelta(days=2, hours=5)) == []

    def test_a_file_that_was_rejected(self, world: World, contact: Contact, feed_storage: Callable[..., Path]) -> None:
        folder = Folder(feed_storage(), world.school, world.program)
        folder.add_feed()
        folder.drop("A-7001.csv", "name\nKim\n")
        folder.collect()

        (letter,) = send(now=folder.now + timedelta(minutes=1))
        assert "It was moved to the folder “rejected”" in letter.body
        assert "A-7001" not in letter.body

    def test_a_certificate_that_ends_within_30_days(
        self, world: World, contact: Contact, universities_certificate: str
    ) -> None:
        SamlConfiguration.objects.create(
            identity_provider=world.provider,
            entity_id="https://idp.uni-a.example",
            sso_url="https://idp.uni-a.example/sso",
            id_attribute="uid",
            signing_certificates=universities_certificate,
        )

        (letter,) = send()
        assert "ends on" in letter.subject
        assert f"{SITE}/console/schools/uni-a/sign-in/" in letter.body
        assert send(now=timezone.now() + timedelta(days=20)) == []
        world.provider.is_enabled = False
        world.provider.save()
        Mail.objects.all().delete()
        assert send() == []


class TestWho:
    def test_contacts_of_the_school_alone(self, world: World, contact: Contact) -> None:
        other = SchoolFactory()
        api.add_contact(access=NOBODY, school=other, email="office@uni-b.example", now=timezone.now())
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())

        assert [letter.to for letter in send()] == [["office@uni-a.example"]]

    def test_without_contacts_those_who_manage_the_school(self, world: World, office: Office) -> None:
        for address, permission in (("m@x.example", Permission.MANAGE_SCHOOL), ("r@x.example", Permission.METADATA)):
            GrantFactory(user=UserFactory(email=address), school=world.school, permission=permission)
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        # Nobody asked for these.
        office.run("student_key,status\nA-2,enroled\n")

        assert [letter.to for letter in send()] == [["m@x.example"]]

    def test_or_else_its_support(self, world: World) -> None:
        world.school.support_email = "help@uni-a.example"
        world.school.save()
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())

        assert [letter.to for letter in send()] == [["help@uni-a.example"]]

    def test_or_nobody(self, world: World) -> None:
        assert add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now()) == 0

    def test_an_account_that_is_gone_is_not_mailed(self, world: World) -> None:
        user = UserFactory(email="m@x.example")
        GrantFactory(user=user, school=world.school, permission=Permission.MANAGE_SCHOOL)
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        user.is_active = False
        user.save()

        assert send() == []
        assert not Mail.objects.exists()

    def test_in_the_contacts_language(self, world: World) -> None:
        add(world, "buero@uni-a.example", language="de")
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())

        (letter,) = send()
        assert '<html lang="de">' in html_of(letter)

    def test_one_mail_a_day(self, world: World) -> None:
        world.school.time_zone = "Europe/Berlin"
        world.school.save()
        add(world, "daily@uni-a.example", is_daily=True)
        evening = datetime(2026, 11, 2, 20, tzinfo=UTC)
        for number in range(3):
            add_notices(school_id=world.school.pk, notices=[notice(number)], now=evening)

        assert send(now=evening + timedelta(hours=9)) == []
        # Seven in the morning in Berlin.
        (letter,) = send(now=evening + timedelta(hours=10))
        assert letter.subject == f"{world.school.name}: 3 messages"
        assert [letter.body.count(f"Job #{number} has failed") for number in range(3)] == [1, 1, 1]


class TestContacts:
    @pytest.mark.parametrize("email", ["", "office", "a b@x.example", "OFFICE@uni-a.example "])
    def test_an_address_that_cannot_be_one(self, email: str, world: World, contact: Contact) -> None:
        with pytest.raises(ContactRefused):
            add(world, email)

    def test_a_language_that_the_platform_lacks(self, world: World) -> None:
        with pytest.raises(ContactRefused):
            add(world, "x@uni-a.example", language="xx")

    def test_there_is_a_limit(self, world: World) -> None:
        for number in range(20):
            add(world, f"{number}@uni-a.example")
        with pytest.raises(ContactRefused):
            add(world, "x@uni-a.example")

    def test_a_removed_contact_takes_its_mails_along(self, world: World, contact: Contact) -> None:
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        assert not api.remove_contact(access=NOBODY, school=SchoolFactory(), contact_id=contact.pk, now=timezone.now())

        assert api.remove_contact(access=NOBODY, school=world.school, contact_id=contact.pk, now=timezone.now())
        assert not Mail.objects.exists()


class TestSending:
    def test_the_same_thing_is_written_once(self, world: World, contact: Contact) -> None:
        now = timezone.now()
        assert add_notices(school_id=world.school.pk, notices=[notice(), notice(2)], now=now) == 2
        assert add_notices(school_id=world.school.pk, notices=[notice()], now=now) == 0
        assert len(send()) == 1

    def test_two_workers_send_it_once(self, world: World, contact: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        really = EmailBackend.send_messages

        def send_while_another_looks(backend: EmailBackend, messages: list[EmailMultiAlternatives]) -> int:
            assert not api.deliver_mails()
            return really(backend, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", send_while_another_looks)
        assert len(send()) == 1

    def test_a_worker_that_dies_leaves_its_mails_to_another(
        self, world: World, contact: Contact, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        really = EmailBackend.send_messages

        def send_and_die(backend: EmailBackend, messages: list[EmailMultiAlternatives]) -> int:
            really(backend, messages)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(EmailBackend, "send_messages", send_and_die)
            with pytest.raises(KeyboardInterrupt):
                send()
        assert send() == []

        (again,) = send(now=timezone.now() + timedelta(minutes=6))
        # Mail systems know it for the same one.
        assert again.extra_headers["Message-ID"] == mail.outbox[0].extra_headers["Message-ID"]

    def test_a_mail_server_that_is_down_delays_and_harms_nothing(
        self, world: World, office: Office, contact: Contact, settings: Settings
    ) -> None:
        add(world, "second@uni-a.example")
        working = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        held = office.run("student_key,status\nA-1,enroled\n")
        assert (held.state, send()) == ("succeeded", [])
        assert not api.has_due_mails(now=timezone.now())
        assert set(Mail.objects.values_list("tries", flat=True)) == {0, 1}

        settings.EMAIL_BACKEND = working
        assert len(send(now=timezone.now() + timedelta(minutes=2))) == 2
        assert send(now=timezone.now() + timedelta(minutes=10)) == []

    def test_the_mail_server_has_ten_seconds_unless_the_site_says_otherwise(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        assert delivery._connection().timeout == 10
        settings.EMAIL_TIMEOUT = 3
        assert delivery._connection().timeout == 3

    @pytest.mark.skipif(not hasattr(mail, "mailers"), reason="Django has MAILERS from 6.1 on")
    def test_a_site_may_have_mailers_instead_of_a_backend(
        self, world: World, contact: Contact, settings: Settings
    ) -> None:
        settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        assert len(send()) == 1

        settings.MAILERS = {"default": {"OPTIONS": {"host": "127.0.0.1"}}}
        assert delivery._connection().timeout == 10

    def test_an_address_that_is_refused_keeps_nobody_else_waiting(
        self, world: World, contact: Contact, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(world, "second@uni-a.example")
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())
        really = EmailBackend.send_messages

        def refuse(backend: EmailBackend, messages: list[EmailMultiAlternatives]) -> int:
            if messages[0].to == ["office@uni-a.example"]:
                raise SMTPRecipientsRefused({"office@uni-a.example": (550, b"No such user")})
            return really(backend, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", refuse)

        assert [letter.to for letter in send()] == [["second@uni-a.example"]]
        row = Mail.objects.get(sent_at=None)
        assert (row.tries, row.problem) == (1, "SMTPRecipientsRefused")
        # After some days it says nothing new.
        now = row.created_at
        for hours in range(1, 200, 3):
            send(now=now + timedelta(hours=hours))
        assert Mail.objects.get(sent_at=None).tries < 30
        assert not api.has_due_mails(now=now + timedelta(days=5))

    def test_without_the_sites_address_there_is_no_link(
        self, world: World, contact: Contact, settings: Settings
    ) -> None:
        settings.PROGRAM_ENROLLMENTS = {**settings.PROGRAM_ENROLLMENTS, "SITE_URL": ""}
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())

        (letter,) = send()
        assert "http" not in letter.body
        assert "<a " not in html_of(letter)

    def test_names_from_the_catalog_are_no_markup(self, world: World, contact: Contact) -> None:
        world.school.name = "<b>Uni</b>\r\nBcc: x@x.example"
        world.school.save()
        add_notices(school_id=world.school.pk, notices=[notice()], now=timezone.now())

        (letter,) = send()
        assert "<b>" not in html_of(letter)
        assert "\n" not in letter.subject

    def test_old_mails_are_deleted(self, world: World, contact: Contact) -> None:
        now = timezone.now()
        add_notices(school_id=world.school.pk, notices=[notice()], now=now)
        api.forget_expired(now=now + timedelta(days=89))
        assert Mail.objects.count() == 1

        assert api.forget_expired(now=now + timedelta(days=91)).mails == 1
        assert not Mail.objects.exists()

    def test_retiring_a_person_finds_nothing_of_them(self, office: Office, contact: Contact) -> None:
        office.run("student_key,email,status\nA-77,seven@uni-a.example,enrolled\nA-77,,ended\nA-78,,enroled\n")
        send()
        api.retire_learners(
            persons=api.Persons(school_key="uni-a", student_keys=["A-77"]), origin=Origin(source="command")
        )

        stored = " ".join(str(row) for row in Mail.objects.values())
        assert not re.search("A-7|seven", stored)
        assert timedelta(days=30) < delivery.KEPT

    def test_finding_nothing_costs_the_same_for_more_files(self, office: Office, contact: Contact) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert send() == []
            return len(captured)

        office.run("student_key,status\nA-1,enrolled\n")
        few = statements()
        for number in range(5):
            office.run(f"student_key,status\nB-{number},enrolled\n")
        assert statements() == few
