"""Contacts: who is mailed at a school."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from program_enrollments.api.access import Access
from program_enrollments.api.setting_changes import record_setting_change
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import SettingChangeKind
from program_enrollments.exceptions import ContactRefused
from program_enrollments.models import Contact, School
from program_enrollments.normalization import is_email, normalize_identity

MAX_CONTACTS = 20


def fetch_contacts(*, school: School) -> list[Contact]:
    """Return a school's contacts in the order in which they were added. One statement."""
    return list(Contact.objects.filter(school=school).order_by("pk"))


def add_contact(
    *, access: Access, school: School, email: str, language: str = "", is_daily: bool = False, now: datetime
) -> Contact:
    """Add a contact to a school, and return it. Raises ContactRefused."""
    address = normalize_identity(email)
    if not is_email(address):
        raise ContactRefused(_("This is no e-mail address."))
    if language and language not in dict(settings.LANGUAGES):
        raise ContactRefused(_("The platform has no such language."))

    def work() -> Contact:
        # The lock on the school keeps two calls from passing the limit together.
        School.objects.select_for_update().get(pk=school.pk)
        known = list(Contact.objects.filter(school=school).values_list("email_normalized", flat=True))
        if address in known:
            raise ContactRefused(_("This address is a contact already."))
        if len(known) >= MAX_CONTACTS:
            raise ContactRefused(
                _("A school can have %(count)d contacts. Remove one first, or use a mailing list.")
                % {"count": MAX_CONTACTS}
            )
        contact = Contact.objects.create(
            school=school,
            email=email.strip(),
            language=language,
            is_daily=is_daily,
            created_at=now,
            created_by_id=access.user_id or None,
        )
        _record(contact, SettingChangeKind.CONTACT_ADDED, access, now)
        return contact

    return in_transaction(work)


def remove_contact(*, access: Access, school: School, contact_id: int, now: datetime) -> bool:
    """Remove a contact with its mails; return whether there was one."""

    def work() -> bool:
        contact = Contact.objects.select_for_update().filter(school=school, pk=contact_id).first()
        if contact is None:
            return False
        _record(contact, SettingChangeKind.CONTACT_REMOVED, access, now)
        contact.delete()
        return True

    return in_transaction(work)


def _record(contact: Contact, kind: SettingChangeKind, access: Access, now: datetime) -> None:
    # Without the address, which is a person's.
    record_setting_change(school_id=contact.school_id, actor_id=access.user_id or None, kind=kind, now=now)
