"""The demo LMS with accounts that are not Django's."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from demo_lms.host import DemoHost
from program_enrollments.normalization import normalize_identity
from tests.odd_host.models import Account


class OddAccounts:
    """Who is who: `AccountPort`."""

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        confirmed = Account.objects.filter(pk__in=user_ids, is_mail_confirmed=True)
        return dict(confirmed.values_list("pk", "mail"))

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        confirmed = Account.objects.filter(is_mail_confirmed=True).values_list("mail", "pk")
        return {normalize_identity(mail): pk for mail, pk in confirmed if normalize_identity(mail) in emails}

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        accounts = Account.objects.values_list("mail", "pk")
        return {normalize_identity(mail): {pk} for mail, pk in accounts if normalize_identity(mail) in emails}

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        return bool(Account.objects.filter(pk=user_id, mail=email).update(is_mail_confirmed=True))


class OddHost(DemoHost):
    """A host whose accounts are named by their address."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = OddAccounts()
