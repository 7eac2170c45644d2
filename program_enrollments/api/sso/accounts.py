"""Accounts that asserted identities open, created at the first sign-on (ADR 0008).

An identity is a school and a permanent ID, compared by the one notion of equality, whichever of the school's identity
providers asserts it. An account that has only the same e-mail address is never opened: it is offered, and connected
once its owner has proved both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError
from social_django.models import UserSocialAuth

from program_enrollments.api.learners.email_domains import fetch_email_domains, is_within_domains
from program_enrollments.api.learners.evidence import remove_sign_ons
from program_enrollments.api.realizing.after_sign_in import email_confirmed
from program_enrollments.api.sso.disputes import is_disputed
from program_enrollments.api.sso.holders import Holder, find_privileged, is_privileged, is_settled, lock_holder
from program_enrollments.api.sso.seen_assertions import remember_assertion
from program_enrollments.api.sso.usernames import are_named_by_email, email_candidates, username_candidates
from program_enrollments.api.transactions import after_commit, atomic, in_transaction
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import HostError, SignOnRefused
from program_enrollments.host import get_host
from program_enrollments.host.deadline import limited
from program_enrollments.normalization import normalize_identity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AssertedIdentity:
    """A person, as one identity provider asserted them.

    `remote_id` is as asserted, but trimmed. Missing values are empty. `confirms_email`: the provider is trusted to
    assert e-mail addresses within the school's domains.
    """

    school_id: int
    slug: str
    remote_id: str
    email: str = ""
    username: str = ""
    full_name: str = ""
    first_name: str = ""
    last_name: str = ""
    confirms_email: bool = False

    @property
    def uid(self) -> str:
        """The uid that social-auth stores: `<school_slug>:<remote_id>`."""
        return f"{self.slug}:{self.remote_id}"


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """The assertion of a sign-on. From `expires_at` it would be refused, including the clock skew."""

    entity_id: str
    assertion_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """The account of a sign-on and its social-auth row.

    `is_new`: the account was just created. `is_disputed`: another account holds the student's place, so that a person
    has to decide. `is_email_confirmed`: the host has the account's address as confirmed (known after connecting only).
    """

    user: Any
    social: UserSocialAuth
    is_new: bool
    is_disputed: bool = False
    is_email_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What the person who signed on can choose.

    `is_fitting`: the account in which they are signed in may be connected. `is_place_held`: the student's place is
    another account's, so that a new account would not get it.
    """

    is_fitting: bool
    is_place_held: bool


def open_account(
    *, backend: str, identity: AssertedIdentity, assertion: AssertionUse | None, declined: bool = False, now: datetime
) -> OpenedAccount | None:
    """Return the account of the person who signs on, or None if an existing one has to be offered first.

    One transaction creates the account and its social-auth row, confirms a trusted address and remembers the assertion.
    Enrollments that wait for the person are realized right after its commit. `declined`: the person does not want the
    existing account, and gets a new one, or the one that they got when they declined before.

    Raises SignOnRefused for a used assertion, for an identity that the database takes as equal to another's or that may
    be another person's now, and for an account that is inactive, being deleted, or has rights beyond the school.
    """

    def work() -> OpenedAccount | None:
        if assertion is not None:
            remember_assertion(
                entity_id=assertion.entity_id,
                assertion_id=assertion.assertion_id,
                expires_at=assertion.expires_at,
                now=now,
            )
        social = _find_settled(backend=backend, identity=identity)
        disputed = False
        if social is None:
            holder = lock_holder(
                school_id=identity.school_id, slug=identity.slug, remote_id=identity.remote_id, now=now
            )
            user_id = holder.account(slug=identity.slug)
            if user_id is None and declined:
                user_id = holder.second_account()
            if user_id is None:
                if not declined and _find_offered(identity=identity, holder=holder):
                    return None
                remove_sign_ons(sign_ons=[*holder.former, *holder.sign_ons])
                user = _make_account(identity=identity, as_second=declined)
                made = _attach(backend=backend, identity=identity, user_id=user.pk, holder=holder)
                disputed = is_disputed(learner=holder.learner, user_id=user.pk)
                return OpenedAccount(user, made, is_new=True, is_disputed=disputed)
            disputed = is_disputed(learner=holder.learner, user_id=user_id)
            social = _attach_to(user_id, backend=backend, identity=identity, holder=holder)
        _refuse_unusable(social.user, identity=identity)
        # Saving it makes the receivers realize enrollments that were promised since.
        kept = social.extra_data if isinstance(social.extra_data, Mapping) else {}
        social.extra_data = {**kept, "auth_time": int(now.timestamp())}
        try:
            with atomic():
                social.save(update_fields=["extra_data", "modified"])
        except DatabaseError:
            if UserSocialAuth.objects.filter(pk=social.pk).exists():
                raise
            raise SignOnRefused(SignOnRefusal.ACCOUNT_GONE, slug=identity.slug) from None
        return OpenedAccount(social.user, social, is_new=False, is_disputed=disputed)

    return _answering_in_time(work, slug=identity.slug)


def _find_settled(*, backend: str, identity: AssertedIdentity) -> UserSocialAuth | None:
    """Return the identity's social-auth row, if it opens its account for certain (`holders.is_settled`)."""
    social: UserSocialAuth | None = UserSocialAuth.get_social_auth(backend, identity.uid)
    student_key = normalize_identity(identity.remote_id)
    if social is None or not is_settled(social, school_id=identity.school_id, student_key=student_key):
        return None
    return social


def _refuse_unusable(user: Any, *, identity: AssertedIdentity) -> None:
    """Raise SignOnRefused for an account that nobody may sign on to, or not through this school."""
    if not user.is_active:
        raise SignOnRefused(SignOnRefusal.ACCOUNT_INACTIVE, slug=identity.slug)
    if is_privileged(user=user, school_id=identity.school_id):
        raise SignOnRefused(SignOnRefusal.ACCOUNT_PRIVILEGED, slug=identity.slug)


def get_offer(*, identity: AssertedIdentity, user_id: int | None, now: datetime) -> Offer:
    """Return what the person can choose, being signed in to the account `user_id` or to none.

    An account may be connected if it has the person's address or is linked to the learner. Raises SignOnRefused as
    `open_account` does.
    """

    def work() -> Offer:
        holder = lock_holder(school_id=identity.school_id, slug=identity.slug, remote_id=identity.remote_id, now=now)
        fitting = user_id is not None and user_id in _find_offered(identity=identity, holder=holder)
        return Offer(is_fitting=fitting, is_place_held=holder.learner.user_id is not None)

    return _answering_in_time(work, slug=identity.slug)


def connect_account(*, backend: str, identity: AssertedIdentity, user_id: int, now: datetime) -> OpenedAccount:
    """Connect an asserted identity to an account that the person has proved to be theirs.

    The caller has verified both proofs in one browser session, and the person has agreed. The account's address is
    confirmed if the school vouches for that very address (`is_email_trusted`). Raises SignOnRefused if the account is
    not an offered one, or if another account has got the identity meanwhile.
    """

    def work() -> OpenedAccount:
        holder = lock_holder(school_id=identity.school_id, slug=identity.slug, remote_id=identity.remote_id, now=now)
        if user_id not in _find_offered(identity=identity, holder=holder):
            raise SignOnRefused(SignOnRefusal.CONNECTION_EXPIRED, slug=identity.slug)
        if holder.account(slug=identity.slug) not in (None, user_id):
            raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug)
        social = _attach_to(user_id, backend=backend, identity=identity, holder=holder)
        confirmed = _confirm_if_trusted(identity=identity, user_id=user_id)
        return OpenedAccount(social.user, social, is_new=False, is_email_confirmed=confirmed)

    return _answering_in_time(work, slug=identity.slug)


def _confirm_if_trusted(*, identity: AssertedIdentity, user_id: int) -> bool:
    """Return whether the account has a confirmed address; confirm it if the school vouches for it."""
    accounts = get_host().accounts
    if accounts.confirmed_emails(user_ids=[user_id]).get(user_id):
        return True
    if not is_email_trusted(identity=identity) or not accounts.confirm_email(user_id=user_id, email=identity.email):
        return False
    # Other schools' learners can wait for this address. Connecting does not save the account, so no signal tells.
    after_commit(partial(email_confirmed, user_id=user_id))
    return True


def _answering_in_time(work: Callable[[], T], *, slug: str) -> T:
    """Run `work` in a transaction, within a sign-in's time. Raises SignOnRefused if the host fails."""
    try:
        with limited("SIGN_IN_HOST_SECONDS"):
            return in_transaction(work)
    except HostError as error:
        raise SignOnRefused(SignOnRefusal.HOST_UNAVAILABLE, slug=slug) from error


def _attach_to(user_id: int, *, backend: str, identity: AssertedIdentity, holder: Holder) -> UserSocialAuth:
    """Return the account's identity under this provider, and create it if there is none.

    The uid is kept as it was first asserted. Rows of the ID at other accounts, or of a former holder, are deleted.
    """
    own = [sign_on for sign_on in holder.sign_ons if sign_on.user_id == user_id]
    remove_sign_ons(sign_ons=[each for each in (*holder.former, *holder.sign_ons) if each not in own])
    for sign_on in own:
        if sign_on.provider == backend and sign_on.slug == identity.slug:
            return UserSocialAuth.objects.select_related("user").get(pk=sign_on.id)
    return _attach(backend=backend, identity=identity, user_id=user_id, holder=holder)


def _find_offered(*, identity: AssertedIdentity, holder: Holder) -> set[int]:
    """Return the IDs of active accounts with the asserted address, and of the learner's linked account.

    Accounts that support staff decided against, and accounts with rights beyond the school, are left out.
    """
    linked_id = holder.learner.user_id
    offered = {linked_id} if linked_id is not None else set()
    email = normalize_identity(identity.email)
    if email:
        offered.update(get_host().accounts.users_by_email(emails=[email]).get(email, ()))
    offered -= holder.barred
    if not offered:
        return set()
    active = get_user_model()._default_manager.filter(pk__in=offered, is_active=True).values_list("pk", flat=True)
    return set(active) - find_privileged(user_ids=offered, school_id=identity.school_id)


def _make_account(*, identity: AssertedIdentity, as_second: bool) -> Any:
    """Create an account.

    With `as_second`, another account has the same address and keeps it, unless the address is trusted for this one.
    """
    trusted = is_email_trusted(identity=identity)
    email = identity.email if trusted or not as_second else ""
    user = _insert_account(identity=identity, email=email)
    if trusted and not get_host().accounts.confirm_email(user_id=user.pk, email=email):
        # Another account has confirmed this address, so it keeps it.
        if user.get_email_field_name() == user.USERNAME_FIELD:
            raise SignOnRefused(SignOnRefusal.EMAIL_NEEDED, slug=identity.slug)
        setattr(user, type(user).get_email_field_name(), "")
        user.save()
    return user


def is_email_trusted(*, identity: AssertedIdentity) -> bool:
    """Return whether the asserted address counts as confirmed.

    It does if the provider is trusted and the school lists the address's domain.
    """
    if not (identity.confirms_email and identity.email):
        return False
    domains = fetch_email_domains(school_id=identity.school_id)
    return bool(domains) and is_within_domains(email_normalized=normalize_identity(identity.email), domains=domains)


def _insert_account(*, identity: AssertedIdentity, email: str) -> Any:
    model: Any = get_user_model()
    fields = {name: value for name, value in _names_of(identity).items() if _has_field(model, name)}
    refused: IntegrityError | None = None
    email_field = model.get_email_field_name()
    if are_named_by_email():
        # The username is the account's address here. A person who declined an existing account leaves it to that one.
        own = email if email_field == model.USERNAME_FIELD else identity.email
        usernames = email_candidates(email=own)
    else:
        full_name = f"{identity.first_name} {identity.last_name}"
        usernames = username_candidates(sources=(identity.username, identity.email, identity.full_name, full_name))
    for username in usernames:
        try:
            with atomic():
                return model._default_manager.create_user(
                    **{email_field: email, model.USERNAME_FIELD: username, **fields}
                )
        except IntegrityError as error:
            # Another account has just taken the name.
            refused = error
    if are_named_by_email():
        raise SignOnRefused(SignOnRefusal.EMAIL_NEEDED, slug=identity.slug) from refused
    raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug) from refused


def _names_of(identity: AssertedIdentity) -> dict[str, str]:
    first_name, last_name = identity.first_name, identity.last_name
    if not (first_name or last_name):
        first_name, _, last_name = identity.full_name.partition(" ")
    return {"first_name": first_name.strip()[:150], "last_name": last_name.strip()[:150]}


def _has_field(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())


def _attach(*, backend: str, identity: AssertedIdentity, user_id: int, holder: Holder) -> UserSocialAuth:
    """Create the social-auth row, with the uid as asserted.

    The database can refuse it only if its collation takes two people's IDs as equal. docs/sso.rst has the statement
    that changes the column's collation.
    """
    try:
        with atomic():
            social: UserSocialAuth = UserSocialAuth.objects.create(user_id=user_id, provider=backend, uid=identity.uid)
    except IntegrityError:
        raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug) from None
    key_since = holder.learner.key_since
    if key_since is not None and social.created < key_since:
        # The clock of the server that freed the ID may be ahead of this server's.
        UserSocialAuth.objects.filter(pk=social.pk).update(created=key_since)
        social.created = key_since
    return social
