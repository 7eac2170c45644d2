"""The demo LMS with an adapter for accounts that does not take every university's word."""

from __future__ import annotations

from demo_lms.host import DemoAccounts, DemoHost

OWN_DOMAIN = "strict.example"
"""Addresses that this host lets nobody but their owner confirm."""


class OddAccounts(DemoAccounts):
    """Who is who: `AccountPort`."""

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        """Say no to addresses of one domain, though no other account has them."""
        return not email.endswith(f"@{OWN_DOMAIN}") and super().confirm_email(user_id=user_id, email=email)


class OddHost(DemoHost):
    """A host whose accounts are named by an address."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts = OddAccounts()
