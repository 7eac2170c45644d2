"""The ledger is read, whatever has become of what it speaks of."""

from __future__ import annotations

from django.utils import timezone

from program_enrollments.models import Learner, LedgerEntry
from tests.admin.conftest import Desk, url_of
from tests.factories.enrollment import LearnerFactory, ProgramFactory
from tests.factories.host import UserFactory


def write(learner: Learner, **values: object) -> LedgerEntry:
    defaults = {"at": timezone.now(), "student_key": learner.display_key, "kind": "link", "source": "api"}
    return LedgerEntry.objects.create(learner=learner, **(defaults | values))


def test_entries_are_found_by_learner_and_by_program(desk: Desk) -> None:
    program = ProgramFactory(title="Physics")
    write(LearnerFactory(student_key="S-1"))
    write(LearnerFactory(student_key="S-2"), program=program, position=1, kind="program_enrollment", after="enrolled")

    (row,) = desk.get(url_of(LedgerEntry), q="s-1").rows()
    assert "S-1" in row
    for query in ({"q": "physics"}, {"school": str(program.school.pk)}, {"program": str(program.pk)}):
        (row,) = desk.get(url_of(LedgerEntry), **query).rows()
        assert "S-2" in row


def test_entries_of_learners_and_actors_that_are_gone_are_still_listed_and_shown(desk: Desk) -> None:
    learner, actor = LearnerFactory(student_key="S-1"), UserFactory()
    entry = write(learner, actor_id=actor.pk)
    gone = actor.pk
    actor.delete()
    Learner.objects.filter(pk=learner.pk).delete()

    (row,) = desk.get(url_of(LedgerEntry)).rows()
    assert "S-1" in row
    assert f"#{gone}" in row
    page = desk.get(url_of(LedgerEntry, "change", entry.pk))
    assert "S-1" in page.text
    assert not page.tree.xpath('//a[contains(@href,"/learner/")][normalize-space()="S-1"]')


def test_an_entry_names_who_acted_and_leads_to_the_learner(desk: Desk) -> None:
    learner = LearnerFactory(student_key="S-1")
    entry = write(learner, actor_id=UserFactory(username="registrar").pk)

    page = desk.get(url_of(LedgerEntry, "change", entry.pk))

    assert "registrar" in page.text
    assert page.tree.xpath(f'//a[@href="{url_of(Learner, "change", learner.pk)}"]')
