"""People: who has access to a school and its programs, and giving and taking it.

Nobody gives what they don't hold there, and every change is recorded with who made it and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext as _

from program_enrollments.api.access import Access
from program_enrollments.api.account_names import fetch_usernames
from program_enrollments.api.grants import fetch_api_clients_of
from program_enrollments.api.learners.claims import find_accounts_by_email
from program_enrollments.api.transactions import in_transaction
from program_enrollments.data import BUNDLES, SCHOOL_PERMISSIONS, Permission
from program_enrollments.exceptions import AccessRefused
from program_enrollments.models import AccessChange, Contact, Grant, Program, School
from program_enrollments.normalization import normalize_identity

LAST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with access: to the school as a whole where `program` is None, else to that program.

    `bundle` is the one that the permissions are, "" if they are none of them; `extra` are permissions beside a bundle.
    """

    user_id: int
    username: str
    program: Program | None
    permissions: frozenset[str]
    bundle: str
    extra: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A system that calls the API as one of the people, and when it last asked for a token."""

    name: str
    username: str
    last_token_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """A change of access in names; an account that is gone has none."""

    at: datetime
    actor: str
    username: str
    program: str
    given: tuple[str, ...]
    taken: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class People:
    """Everybody with access to a school: people, their API clients, and what changed last."""

    people: list[Person]
    clients: list[ApiClient]
    records: list[AccessRecord]


def fetch_people(*, school: School) -> People:
    """Return who has access to a school or a program of it. The number of statements is constant."""
    grants = list(
        Grant.objects.filter(Q(school=school) | Q(program__school=school)).select_related("program").order_by("pk")
    )
    changes = list(AccessChange.objects.filter(school=school).select_related("program").order_by("-pk")[:LAST_CHANGES])
    user_ids = {grant.user_id for grant in grants} | {
        user_id for change in changes for user_id in (change.actor_id, change.user_id)
    }
    names = fetch_usernames(user_ids=user_ids)
    clients = fetch_api_clients_of(user_ids={grant.user_id for grant in grants})
    return People(
        _people(grants, names),
        [ApiClient(name, names.get(user_id, ""), last) for name, user_id, last in clients],
        [_record(change, names) for change in changes],
    )


def _people(grants: Iterable[Grant], names: Mapping[int, str]) -> list[Person]:
    held: dict[tuple[int, int | None], list[Grant]] = defaultdict(list)
    for grant in grants:
        held[grant.user_id, grant.program_id].append(grant)
    people = []
    for (user_id, _program_id), own in held.items():
        words = frozenset(grant.permission for grant in own)
        bundle = find_bundle(words)
        extra = tuple(word for word in Permission.values if word in words - BUNDLES.get(bundle, frozenset()))
        since = min(grant.created for grant in own)
        people.append(Person(user_id, names.get(user_id, ""), own[0].program, words, bundle, extra, since))
    return sorted(people, key=lambda person: (person.username, person.program is not None, str(person.program or "")))


def find_bundle(permissions: Collection[str]) -> str:
    """Return the largest bundle that the permissions contain, "" for none."""
    fitting = [name for name, words in BUNDLES.items() if words <= frozenset(permissions)]
    return fitting[-1] if fitting else ""


def _record(change: AccessChange, names: Mapping[int, str]) -> AccessRecord:
    return AccessRecord(
        change.at,
        names.get(change.actor_id, ""),
        names.get(change.user_id, ""),
        change.program.title if change.program is not None else "",
        tuple(change.given),
        tuple(change.taken),
        change.reason,
    )


def find_account(*, text: str) -> int:
    """Return the key of the active account with this confirmed address, or with this username.

    An address never counts as a username: anybody may register one that is somebody else's address. Raises
    AccessRefused if there is none.
    """
    text = text.strip()
    if "@" in text:
        address = normalize_identity(text)
        found = find_accounts_by_email(emails=[address]).get(address)
    else:
        users = get_user_model()
        named = users._default_manager.filter(**{users.USERNAME_FIELD: text}, is_active=True)
        found = next((user.pk for user in named if user.get_username() == text), None)
    if found is None:
        raise AccessRefused(
            _("No account has this username or confirmed address. Invite the person by e-mail instead.")
        )
    return int(found)


def fetch_confirmed_address(*, user_id: int) -> str:
    """Return the confirmed address of an active account, "" if it has none."""
    users = get_user_model()
    user = users._default_manager.filter(pk=user_id, is_active=True).first()
    email = str(getattr(user, users.get_email_field_name(), "") or "") if user is not None else ""
    address = normalize_identity(email)
    return email if address and find_accounts_by_email(emails=[address]).get(address) == user_id else ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a mail to an account goes, and in which language."""

    address: str
    language: str


def find_recipient(*, school: School, user_id: int) -> Recipient | None:
    """Return where somebody is mailed about a school, None without a confirmed address.

    The language is the one of the school's contact with that address, if there is one, else the platform's own.
    """
    address = fetch_confirmed_address(user_id=user_id)
    if not address:
        return None
    contacts = Contact.objects.filter(school=school, email_normalized=normalize_identity(address))
    language = contacts.values_list("language", flat=True).first()
    return Recipient(address, language or settings.LANGUAGE_CODE)


def change_access(
    *,
    access: Access,
    school: School,
    user_id: int,
    permissions: Collection[str],
    program: Program | None = None,
    reason: str = "",
    now: datetime,
) -> AccessChange | None:
    """Let a user hold exactly these permissions on a school, or on a program of it.

    None of them takes the access away. Return what changed, None if nothing did. Raises AccessRefused for permissions
    that the caller does not hold there, given or taken, and for people who would take `manage_access` from themselves.
    """
    wanted = frozenset(permissions)
    if program is not None and wanted.intersection(SCHOOL_PERMISSIONS):
        raise AccessRefused(
            _("These permissions concern the school as a whole. Choose the school instead of a program.")
        )
    place: dict[str, Any] = {"school": school} if program is None else {"program": program}

    def work() -> AccessChange | None:
        # The school's row is the lock: two administrators change one person's access one after the other.
        School.objects.select_for_update().get(pk=school.pk)
        own = Grant.objects.filter(user_id=user_id, **place)
        held = frozenset(own.values_list("permission", flat=True))
        given, taken = wanted - held, held - wanted
        if not given and not taken:
            return None
        _refuse_unheld(access, school=school, program=program, permissions=given | taken)
        if user_id == access.user_id and Permission.MANAGE_ACCESS in taken:
            raise AccessRefused(_("You can't take the management of access from yourself. Somebody else has to do it."))
        own.filter(permission__in=taken).delete()
        for permission in sorted(given):
            Grant.objects.create(user_id=user_id, permission=permission, **place)
        return AccessChange.objects.create(
            school=school,
            program=program,
            at=now,
            actor_id=access.user_id,
            user_id=user_id,
            given=sorted(given),
            taken=sorted(taken),
            reason=reason,
        )

    return in_transaction(work)


def _refuse_unheld(access: Access, *, school: School, program: Program | None, permissions: Collection[str]) -> None:
    for permission in permissions:
        reach = access.reach(permission=permission, school_id=school.pk)
        if not (reach.is_school_wide or (program is not None and reach.covers(program_ids=[program.pk]))):
            raise AccessRefused(
                _("You don't hold the permission to %(permission)s there, so you can neither give nor take it.")
                % {"permission": Permission(permission).label}
            )
