"""Who is who on Open edX: `AccountPort`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from program_enrollments.host.openedx.platform import get_model
from program_enrollments.normalization import normalize_identity


class OpenEdxAccounts:
    """An active account's address is confirmed, unless its owner asked to be forgotten.

    Between that request and its end, the account is active with an address that the platform made up. A recovery
    address is confirmed once it is active.
    """

    def confirmed_emails(self, *, user_ids: Collection[int]) -> Mapping[int, str]:
        """Return the primary address of each account that is confirmed."""
        rows = _confirmed_users().filter(pk__among=user_ids).exclude(email="")
        return dict(rows.values_list("pk", "email"))

    def users_by_confirmed_email(self, *, emails: Collection[str]) -> Mapping[str, int]:
        """Return the account of each address, primary or for recovery; none for one that two accounts have."""
        confirmed = _confirmed_users()
        found = _by_address(
            emails,
            _having(confirmed, "email", emails).values_list("email", "pk"),
            _having(_recoveries().filter(is_active=True, user__in=confirmed), "secondary_email", emails).values_list(
                "secondary_email", "user_id"
            ),
        )
        return {email: next(iter(owners)) for email, owners in found.items() if len(owners) == 1}

    def users_by_email(self, *, emails: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return the accounts that have each address, primary or for recovery, confirmed or not."""
        return _by_address(
            emails,
            _having(get_model("auth.User").objects.all(), "email", emails).values_list("email", "pk"),
            _having(_recoveries(), "secondary_email", emails).values_list("secondary_email", "user_id"),
        )

    def confirm_email(self, *, user_id: int, email: str) -> bool:
        """Activate the account as its activation link would, if `email` is its address and nobody else's.

        False for an account whose owner asked to be forgotten.
        """
        wanted = normalize_identity(email)
        user = _remembered_users().filter(pk=user_id).first()
        if user is None or not wanted or normalize_identity(user.email) != wanted:
            return False
        if set(self.users_by_confirmed_email(emails=[wanted]).values()) - {user_id}:
            return False
        if not user.is_active:
            _activate(user)
        return True


def _activate(user: Any) -> None:
    registration = get_model("student.Registration").objects.filter(user=user).first()
    if registration is not None:
        registration.activate()
        return
    # Accounts that were made by a command or in the admin have nothing to activate.
    user.is_active = True
    user.save(update_fields=["is_active"])


def _remembered_users() -> QuerySet[Any]:
    """Return the accounts whose owners did not ask to be forgotten.

    The row goes when somebody takes the request back.
    """
    users: QuerySet[Any] = get_model("auth.User").objects.filter(userretirementrequest=None)
    return users


def _confirmed_users() -> QuerySet[Any]:
    return _remembered_users().filter(is_active=True)


def _recoveries() -> QuerySet[Any]:
    rows: QuerySet[Any] = get_model("student.AccountRecovery").objects.all()
    return rows


def _having(rows: QuerySet[Any], field: str, emails: Collection[str]) -> QuerySet[Any]:
    """Return `rows` that may have one of `emails` (normalized) in `field`. The caller compares anew.

    MySQL's collation finds more than is meant, by the index. The other databases compare in lower case: they miss an
    address that only Unicode's rules make equal, such as one in full-width letters.
    """
    if connection.vendor == "mysql":
        return rows.filter(**{f"{field}__among": emails})
    lowered: QuerySet[Any] = rows.annotate(lowered=Lower(field)).filter(lowered__among=emails)
    return lowered


def _by_address(emails: Collection[str], *sources: Iterable[tuple[str, int]]) -> dict[str, set[int]]:
    """Return the owners of each of `emails` among the rows (address, user ID) of `sources`."""
    wanted = set(emails)
    found: defaultdict[str, set[int]] = defaultdict(set)
    if not wanted:
        return found
    for source in sources:
        for address, user_id in source:
            normalized = normalize_identity(address)
            if normalized in wanted:
                found[normalized].add(user_id)
    return dict(found)
