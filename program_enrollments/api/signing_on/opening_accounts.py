"""Opening accounts: whose account a person is signed on to, made at the first sign-on (ADR 0008).

An identity is a school's own word: (school, permanent ID) under the one notion of equality, whichever of the school's
identity providers asserts it and however it spells it. An account that merely looks like the person's, because it has
the same e-mail address, is never taken: it is offered, and connected once its owner has proved both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from social_django.models import UserSocialAuth

from program_enrollments.api.identifying.checking_identities import fetch_email_domains, is_within_domains
from program_enrollments.api.identifying.locking_learners import LockedLearner, lock_learners
from program_enrollments.api.realizing.signing_in import make_learner
from program_enrollments.api.signing_on.naming_accounts import username_candidates
from program_enrollments.api.signing_on.remembering_assertions import remember_assertion
from program_enrollments.api.transacting import in_transaction
from program_enrollments.conf import get_setting
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.host import get_host
from program_enrollments.models import IdentityProvider, Learner
from program_enrollments.normalization import normalize_identity, split_uid


@dataclass(frozen=True, slots=True)
class AssertedIdentity:
    """A person, as one identity provider asserted them. `remote_id` is verbatim, trimmed; what was not given is empty.

    `confirms_email`: the provider is trusted to assert e-mail addresses within the school's domains.
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
        """What social-auth keeps of the identity: `<school_slug>:<remote_id>`."""
        return f"{self.slug}:{self.remote_id}"


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """The assertion a sign-on rests on. `expires_at` is when it would be refused, clock skew included."""

    entity_id: str
    assertion_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """The account of a sign-on and its social-auth row. `is_new`: it was made just now."""

    user: Any
    social: UserSocialAuth
    is_new: bool


def open_account(
    *, backend: str, identity: AssertedIdentity, assertion: AssertionUse | None, declined: bool = False, now: datetime
) -> OpenedAccount | None:
    """Return the account of whoever signs on, or None if an existing one is to be offered to them first.

    Making the account, its social-auth row, the confirmation of a trusted address and the memory of the assertion are
    one transaction; what waits for the person is realized right after its commit. `declined`: the person does not want
    the existing account, and gets a new one. Raises SignOnRefused for an assertion used before, and for an identity
    that the database cannot tell from another's.
    """

    def work() -> OpenedAccount | None:
        if assertion is not None:
            remember_assertion(
                entity_id=assertion.entity_id,
                assertion_id=assertion.assertion_id,
                expires_at=assertion.expires_at,
                now=now,
            )
        social = UserSocialAuth.get_social_auth(backend, identity.uid)
        if social is None:
            learner = _lock_learner(identity=identity, now=now)
            social = _find_same_person(backend=backend, identity=identity, learner=learner)
            if social is None and not declined and _find_offered(identity=identity, linked_id=learner.user_id):
                return None
            if social is None:
                user = _make_account(identity=identity, as_second=declined)
                return OpenedAccount(user, _attach(backend=backend, identity=identity, user_id=user.pk), is_new=True)
        if not social.user.is_active:
            raise SignOnRefused(SignOnRefusal.ACCOUNT_INACTIVE, slug=identity.slug)
        # Saving it is what lets the receivers realize whatever was promised since.
        social.extra_data = {**social.extra_data, "auth_time": int(now.timestamp())}
        social.save(update_fields=["extra_data", "modified"])
        return OpenedAccount(social.user, social, is_new=False)

    return in_transaction(work)


def is_offered(*, identity: AssertedIdentity, user_id: int) -> bool:
    """Whether an account is one of those that the person may connect: it has their e-mail address, or is linked to the
    learner.
    """
    student_key = normalize_identity(identity.remote_id)
    learners = Learner.objects.filter(school_id=identity.school_id, student_key_normalized=student_key)
    return user_id in _find_offered(identity=identity, linked_id=learners.values_list("user_id", flat=True).first())


def connect_account(*, backend: str, identity: AssertedIdentity, user_id: int, now: datetime) -> OpenedAccount:
    """Connect an asserted identity to an account that the person has proved to be theirs as well.

    The caller has seen both proofs in one browser session, and the person's word that this is what they want. Raises
    SignOnRefused where the account is none of those offered, or the identity has become another account's meanwhile.
    """

    def work() -> OpenedAccount:
        learner = _lock_learner(identity=identity, now=now)
        if user_id not in _find_offered(identity=identity, linked_id=learner.user_id):
            raise SignOnRefused(SignOnRefusal.CONNECTION_EXPIRED, slug=identity.slug)
        social = _find_same_person(backend=backend, identity=identity, learner=learner)
        if social is None:
            social = _attach(backend=backend, identity=identity, user_id=user_id)
        elif social.user_id != user_id:
            raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug)
        return OpenedAccount(social.user, social, is_new=False)

    return in_transaction(work)


def _lock_learner(*, identity: AssertedIdentity, now: datetime) -> LockedLearner:
    """Lock the learner with this ID at the school, made where there is none: two first sign-ons of one person take
    turns.
    """
    learner_id = make_learner(
        school_id=identity.school_id,
        remote_id=identity.remote_id,
        student_key=normalize_identity(identity.remote_id),
        now=now,
    )
    (learner,) = lock_learners(ids=[learner_id])
    return learner


def _find_same_person(*, backend: str, identity: AssertedIdentity, learner: LockedLearner) -> UserSocialAuth | None:
    """Return the identity of the account that has signed on as this person before, whatever the spelling and the
    provider.

    Where it was another provider of the school, the account gets one more identity. The host's table is indexed by the
    uid as asserted, so what is looked at are the likely spellings and the identities of the learner's account.
    """
    slugs = set(IdentityProvider.objects.filter(school_id=identity.school_id).values_list("slug", flat=True))
    student_key = normalize_identity(identity.remote_id)
    spellings = {identity.remote_id, student_key, learner.student_key}
    candidates = UserSocialAuth.objects.filter(provider__in={backend, *get_setting("SAML_BACKENDS")})
    uids = [f"{slug}:{spelling}" for slug in slugs for spelling in spellings]
    found = list(candidates.filter(uid__in=uids).select_related("user"))
    if learner.user_id is not None:
        found += candidates.filter(user_id=learner.user_id).select_related("user")
    same = [social for social in found if _names(social.uid, slugs=slugs, student_key=student_key)]
    if not same:
        return None
    user_ids = {social.user_id for social in same}
    if learner.user_id in user_ids:
        same = [social for social in same if social.user_id == learner.user_id]
    elif len(user_ids) > 1:
        raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug)
    for social in same:
        if social.provider == backend and social.uid.startswith(f"{identity.slug}:"):
            return social
    return _attach(backend=backend, identity=identity, user_id=same[0].user_id)


def _names(uid: str, *, slugs: set[str], student_key: str) -> bool:
    parts = split_uid(uid)
    return parts is not None and parts[0] in slugs and normalize_identity(parts[1]) == student_key


def _find_offered(*, identity: AssertedIdentity, linked_id: int | None) -> set[int]:
    """Return the IDs of the active accounts with the asserted address, and of the one that the learner is linked to."""
    offered = {linked_id} if linked_id is not None else set()
    email = normalize_identity(identity.email)
    if email:
        offered.update(get_host().accounts.users_by_email(emails=[email]).get(email, ()))
    if not offered:
        return set()
    return set(get_user_model()._default_manager.filter(pk__in=offered, is_active=True).values_list("pk", flat=True))


def _make_account(*, identity: AssertedIdentity, as_second: bool) -> Any:
    """Make an account; `as_second` beside one with the same address, which then keeps it unless the school vouches for
    this one.
    """
    trusted = is_email_trusted(identity=identity)
    email = identity.email if trusted or not as_second else ""
    user = _insert_account(identity=identity, email=email)
    if trusted and not get_host().accounts.confirm_email(user_id=user.pk, email=email):
        # Another account has shown that it reads this address: it is that one's.
        setattr(user, type(user).get_email_field_name(), "")
        user.save()
    return user


def is_email_trusted(*, identity: AssertedIdentity) -> bool:
    """Whether the asserted address counts as confirmed: the provider is trusted, and the school lists the address's
    domain.
    """
    if not (identity.confirms_email and identity.email):
        return False
    domains = fetch_email_domains(school_id=identity.school_id)
    return bool(domains) and is_within_domains(email_normalized=normalize_identity(identity.email), domains=domains)


def _insert_account(*, identity: AssertedIdentity, email: str) -> Any:
    model: Any = get_user_model()
    fields = {name: value for name, value in _names_of(identity).items() if _has_field(model, name)}
    refused: IntegrityError | None = None
    sources = (identity.username, identity.email, identity.full_name, f"{identity.first_name} {identity.last_name}")
    for username in username_candidates(sources=sources):
        try:
            with transaction.atomic():
                return model._default_manager.create_user(
                    **{model.USERNAME_FIELD: username}, **{model.get_email_field_name(): email}, **fields
                )
        except IntegrityError as error:
            # Somebody took the name at this very moment.
            refused = error
    raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug) from refused


def _names_of(identity: AssertedIdentity) -> dict[str, str]:
    first_name, last_name = identity.first_name, identity.last_name
    if not (first_name or last_name):
        first_name, _, last_name = identity.full_name.partition(" ")
    return {"first_name": first_name.strip()[:150], "last_name": last_name.strip()[:150]}


def _has_field(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.get_fields())


def _attach(*, backend: str, identity: AssertedIdentity, user_id: int) -> UserSocialAuth:
    """Make the social-auth row. The uid is kept as asserted.

    The one reason left why the database may refuse is a collation under which two people's IDs are one (docs/sso.rst
    tells how to give the column another one).
    """
    try:
        with transaction.atomic():
            return UserSocialAuth.objects.create(user_id=user_id, provider=backend, uid=identity.uid)
    except IntegrityError:
        raise SignOnRefused(SignOnRefusal.IDENTITY_CLASH, slug=identity.slug) from None
