"""Grants: who may give which ones, and how former staff clients get the permission for all schools."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission as DjangoPermission
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Max, Q, QuerySet

from program_enrollments.api.access import ACT_FOR_ALL_SCHOOLS, access_of, acts_for_all_schools
from program_enrollments.data import Permission
from program_enrollments.exceptions import PermissionMissing
from program_enrollments.models import Grant, Program, School


class StaffClient(NamedTuple):
    """A member of host staff who owns an API client and has no grants.

    Such a user does not hold the permission for all schools either.
    """

    user_id: Any
    username: str


def may_give(*, user: Any, permission: str, school_id: int | None = None, program: Program | None = None) -> bool:
    """Return whether a user may give a permission on a school, or on a program.

    The giver must hold the permission there themselves, and `manage_access` on the school. Without school and program,
    the school is not stored yet: only users who act for all schools may give a permission on it. Three statements at
    most.
    """
    if acts_for_all_schools(user=user):
        return True
    access = access_of(user=user)
    school_id = school_id if program is None else program.school_id
    if school_id is None or not access.reach(permission=Permission.MANAGE_ACCESS, school_id=school_id).is_school_wide:
        return False
    held = access.reach(permission=permission, school_id=school_id)
    return held.is_school_wide or (program is not None and held.covers(program_ids=[program.pk]))


def fetch_manageable_schools(*, user: Any) -> QuerySet[School]:
    """Return the schools whose access a user manages."""
    if acts_for_all_schools(user=user):
        return School.objects.all()
    return School.objects.filter(grants__user_id=user.pk, grants__permission=Permission.MANAGE_ACCESS).distinct()


def fetch_manageable_grants(*, user: Any) -> QuerySet[Grant]:
    """Return the grants at schools whose access the user manages. They may see, change and revoke these."""
    if acts_for_all_schools(user=user):
        return Grant.objects.all()
    schools = fetch_manageable_schools(user=user).values("pk")
    return Grant.objects.filter(Q(school__in=schools) | Q(program__school__in=schools))


def fetch_access_managers(*, school_id: int, limit: int = 5) -> list[str]:
    """Return the usernames of people who manage a school's access, for others to ask. One statement."""
    holders = Grant.objects.filter(school_id=school_id, permission=Permission.MANAGE_ACCESS)
    users = get_user_model()._default_manager.filter(pk__in=holders.values("user_id"), is_active=True)
    return [user.get_username() for user in users.order_by("pk")[:limit]]


def fetch_staff_clients() -> list[StaffClient]:
    """Return the staff clients, ordered by username.

    OAuth clients of `oauth2_provider` and tokens of `rest_framework.authtoken` are known, if the host has those apps
    installed.
    """
    users = get_user_model()
    try:
        users._meta.get_field("is_staff")
    except FieldDoesNotExist:
        return []
    owners = Q(pk__in=[])
    for model in _client_models():
        owners |= Q(pk__in=model.objects.filter(user__isnull=False).values("user_id"))
    staff = users._default_manager.filter(owners, is_staff=True).exclude(pk__in=Grant.objects.values("user_id"))
    clients = [
        StaffClient(user.pk, user.get_username())
        for user in staff
        if user.is_active and not acts_for_all_schools(user=user)
    ]
    return sorted(clients, key=lambda client: client.username)


def fetch_api_clients_of(*, user_ids: Collection[int]) -> list[tuple[str, int, datetime | None]]:
    """Return the OAuth clients that act as these users: name, user, and when each last got a token.

    Two statements; none if the host has no `oauth2_provider`, or nobody is named.
    """
    if not user_ids or not apps.is_installed("oauth2_provider"):
        return []
    application = next(_client_models())
    tokens: Any = apps.get_model(getattr(settings, "OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL", "oauth2_provider.AccessToken"))
    clients = list(application.objects.filter(user_id__in=user_ids).order_by("name"))
    issued = tokens.objects.filter(application__in=clients).order_by().values_list("application_id")
    last: dict[Any, datetime] = dict(issued.annotate(last=Max("created")))
    return [(client.name or client.client_id, client.user_id, last.get(client.pk)) for client in clients]


def _client_models() -> Iterator[Any]:
    """Return the host's models of API clients that name the user for whom the client acts."""
    if apps.is_installed("oauth2_provider"):
        label: str = getattr(settings, "OAUTH2_PROVIDER_APPLICATION_MODEL", "oauth2_provider.Application")
        app_label, _, model_name = label.rpartition(".")
        yield apps.get_app_config(app_label).get_model(model_name)
    if apps.is_installed("rest_framework.authtoken"):
        yield apps.get_app_config("authtoken").get_model("Token")


def grant_all_schools(*, dry_run: bool = False) -> list[StaffClient]:
    """Give the staff clients Django's permission to act for all schools, and return them.

    A dry run only returns them. Raises PermissionMissing until `migrate` has created the permission.
    """
    clients = fetch_staff_clients()
    if dry_run or not clients:
        return clients
    app_label, _, codename = ACT_FOR_ALL_SCHOOLS.partition(".")
    permission = DjangoPermission.objects.filter(content_type__app_label=app_label, codename=codename).first()
    if permission is None:
        raise PermissionMissing
    for user in get_user_model()._default_manager.filter(pk__in=[client.user_id for client in clients]):
        user.user_permissions.add(permission)
    return clients
