"""The tests of every `AccountPort`."""

# ruff: noqa: S101  (these are tests)

from __future__ import annotations

from program_enrollments.host.contracts.fixtures import FEW, MANY, HostFixtures, count_statements


class AccountContract(HostFixtures):
    """`AccountPort`."""

    def test_only_confirmed_addresses_are_told(self) -> None:
        confirmed, unconfirmed, without = (
            self.make_user(email="Ann@uni.example"),
            self.make_user(email="ben@uni.example"),
            self.make_user(),
        )
        assert self.confirm_email(user_id=confirmed)

        told = self.checked_host.accounts.confirmed_emails(
            user_ids=[confirmed, unconfirmed, without, confirmed + 10**6]
        )

        assert dict(told) == {confirmed: "Ann@uni.example"}

    def test_users_are_found_by_confirmed_address_alone(self) -> None:
        confirmed, unconfirmed = self.make_user(email="Ann@uni.example"), self.make_user(email="ben@uni.example")
        assert self.confirm_email(user_id=confirmed)

        found = self.checked_host.accounts.users_by_confirmed_email(
            emails=["ann@uni.example", "ben@uni.example", "nobody@uni.example"]
        )

        assert dict(found) == {"ann@uni.example": confirmed}
        assert unconfirmed not in found.values()

    def test_addresses_are_compared_by_the_one_notion_of_equality(self) -> None:
        accented, plain = self.make_user(email="andré@uni.example"), self.make_user(email="ANDRE@uni.example")
        assert self.confirm_email(user_id=accented)
        assert self.confirm_email(user_id=plain), "é is not e: both addresses can be confirmed"

        found = self.checked_host.accounts.users_by_confirmed_email(emails=["andré@uni.example", "andre@uni.example"])

        assert dict(found) == {"andré@uni.example": accented, "andre@uni.example": plain}

    def test_a_changed_address_is_unconfirmed_again(self) -> None:
        user = self.make_user(email="ann@uni.example")
        assert self.confirm_email(user_id=user)

        if self.change_email(user_id=user, email="ann@elsewhere.example") is False:
            assert dict(self.checked_host.accounts.confirmed_emails(user_ids=[user])) == {user: "ann@uni.example"}
            assert not self.checked_host.accounts.users_by_confirmed_email(emails=["ann@elsewhere.example"])
            return

        assert not self.checked_host.accounts.confirmed_emails(user_ids=[user])
        assert not self.checked_host.accounts.users_by_confirmed_email(
            emails=["ann@uni.example", "ann@elsewhere.example"]
        )

    def test_an_address_confirmed_by_two_names_nobody(self) -> None:
        first, second = self.make_user(email="shared@uni.example"), self.make_user(email="Shared@uni.example")
        assert self.confirm_email(user_id=first)
        both = self.confirm_email(user_id=second)

        found = self.checked_host.accounts.users_by_confirmed_email(emails=["shared@uni.example"])

        assert dict(found) == ({} if both else {"shared@uni.example": first})

    def test_all_users_with_an_address_are_found_confirmed_or_not(self) -> None:
        first, second = self.make_user(email="André@uni.example"), self.make_user(email="andré@uni.example")
        self.make_user(email="andre@uni.example")
        self.make_user()
        assert self.confirm_email(user_id=first)

        found = self.checked_host.accounts.users_by_email(emails=["andré@uni.example", "nobody@uni.example"])

        assert {email: set(users) for email, users in found.items()} == {"andré@uni.example": {first, second}}
        assert not self.checked_host.accounts.users_by_email(emails=[])

    def test_a_changed_address_is_found_instead_of_the_one_before(self) -> None:
        user = self.make_user(email="ann@uni.example")
        kept = self.change_email(user_id=user, email="ann@elsewhere.example") is False

        found = self.checked_host.accounts.users_by_email(emails=["ann@uni.example", "ann@elsewhere.example"])

        present = "ann@uni.example" if kept else "ann@elsewhere.example"
        assert {email: set(users) for email, users in found.items()} == {present: {user}}

    def test_an_address_can_be_confirmed_for_its_owner(self) -> None:
        user = self.make_user(email="Ann@uni.example")

        assert self.checked_host.accounts.confirm_email(user_id=user, email="ann@uni.example")
        assert self.checked_host.accounts.confirm_email(user_id=user, email="ann@uni.example"), "twice is once"

        assert dict(self.checked_host.accounts.confirmed_emails(user_ids=[user])) == {user: "Ann@uni.example"}

    def test_another_address_than_the_accounts_own_is_not_confirmed(self) -> None:
        user, without = self.make_user(email="ann@uni.example"), self.make_user()

        assert not self.checked_host.accounts.confirm_email(user_id=user, email="ann@elsewhere.example")
        assert not self.checked_host.accounts.confirm_email(user_id=without, email="ann@uni.example")
        assert not self.checked_host.accounts.confirmed_emails(user_ids=[user, without])

    def test_asking_for_many_accounts_takes_no_more_statements(self) -> None:
        addresses = [f"student{number}@uni.example" for number in range(MANY)]
        users = [self.make_user(email=address) for address in addresses]
        for user in users:
            assert self.confirm_email(user_id=user)
        accounts = self.checked_host.accounts

        assert len(accounts.confirmed_emails(user_ids=users)) == MANY
        assert len(accounts.users_by_confirmed_email(emails=addresses)) == MANY
        assert count_statements(lambda: accounts.confirmed_emails(user_ids=users)) == count_statements(
            lambda: accounts.confirmed_emails(user_ids=users[:FEW])
        )
        assert count_statements(lambda: accounts.users_by_confirmed_email(emails=addresses)) == count_statements(
            lambda: accounts.users_by_confirmed_email(emails=addresses[:FEW])
        )
        assert count_statements(lambda: accounts.users_by_email(emails=addresses)) == count_statements(
            lambda: accounts.users_by_email(emails=addresses[:FEW])
        )
