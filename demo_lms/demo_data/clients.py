"""Who may use the API, and the superuser. The credentials are fixed and documented; nothing real is behind them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Permission as DjangoPermission
from django.contrib.auth.models import User
from oauth2_provider.models import get_application_model

from program_enrollments.data import PROGRAM_PERMISSIONS, Permission
from program_enrollments.models import Grant, School

ADMIN_USERNAME = "admin"
ADMIN_PASSWORD = "admin"
ACT_FOR_ALL_SCHOOLS = ("act_for_all_schools", "university_enrollments", "grant")


@dataclass(frozen=True, slots=True)
class SeedClient:
    """An OAuth2 client, which acts as a user of the same name: for one school's programs, or else for all schools."""

    client_id: str
    client_secret: str
    school_key: str | None = None


CLIENTS = (
    SeedClient("uni-a-sis", "uni-a-secret", school_key="uni-a"),
    SeedClient("uni-b-sis", "uni-b-secret", school_key="uni-b"),
    SeedClient("registrar", "registrar-secret"),
    SeedClient("uni-a-sandbox-sis", "practice-secret", school_key="uni-a-sandbox"),
)


@dataclass(frozen=True, slots=True)
class SeedAdministrator:
    """A person who administers a university's programs in the console."""

    username: str
    name: str
    school_key: str


ADMINISTRATOR_PASSWORD = "administrator"
ADMINISTRATORS = (
    SeedAdministrator("avery", "Avery Example", "uni-a"),
    SeedAdministrator("blair", "Blair Example", "uni-b"),
)


def seed_administrators() -> None:
    """Make the program administrators, with every grant on their schools, which must be there."""
    for one in ADMINISTRATORS:
        first_name, last_name = one.name.split(" ")
        user = User.objects.filter(username=one.username).first() or User.objects.create_user(
            one.username, password=ADMINISTRATOR_PASSWORD, first_name=first_name, last_name=last_name
        )
        school = School.objects.get(key=one.school_key)
        for permission in Permission.values:
            Grant.objects.get_or_create(user=user, school=school, permission=permission)


def seed_clients() -> None:
    """Make the clients, their users, and the grants of those on their schools, which must be there."""
    for client in CLIENTS:
        user = _seed_user(client)
        application = get_application_model()
        application.objects.get_or_create(
            client_id=client.client_id,
            defaults={
                "client_secret": client.client_secret,
                "name": client.client_id,
                "user": user,
                "client_type": application.CLIENT_CONFIDENTIAL,
                "authorization_grant_type": application.GRANT_CLIENT_CREDENTIALS,
            },
        )
        if client.school_key is None:
            user.user_permissions.add(DjangoPermission.objects.get_by_natural_key(*ACT_FOR_ALL_SCHOOLS))
        else:
            school = School.objects.get(key=client.school_key)
            for permission in PROGRAM_PERMISSIONS:
                Grant.objects.get_or_create(user=user, school=school, permission=permission)


def _seed_user(client: SeedClient) -> User:
    user = User.objects.filter(username=client.client_id).first()
    if user is None:
        user = User(username=client.client_id)
        user.set_unusable_password()
        user.save()
    return user


def seed_admin() -> None:
    """Make the superuser."""
    if not User.objects.filter(username=ADMIN_USERNAME).exists():
        User.objects.create_superuser(ADMIN_USERNAME, password=ADMIN_PASSWORD)
