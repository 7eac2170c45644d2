from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from edx_django_utils.cache import TieredCache
from edx_rest_api_client.client import OAuthAPIClient
from oauth2_provider.models import get_access_token_model, get_application_model
from pytest_django.fixtures import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from demo_lms.demo_data.clients import CLIENTS, SeedClient, seed_clients
from tests.factories.enrollment import SchoolFactory
from tests.factories.host import SuperuserFactory

pytestmark = [pytest.mark.once, pytest.mark.urls("tests.demo_lms.token_urls"), pytest.mark.usefixtures("clients")]

SIS = CLIENTS[0]


@pytest.fixture
def clients(db: None) -> None:
    """The demo's clients of the API, at their schools."""
    for seed in CLIENTS:
        if seed.school_key:
            SchoolFactory(key=seed.school_key)
    seed_clients()


def ask_for_token(client: Client, seed: SeedClient = SIS, changes: dict[str, str] | None = None) -> dict[str, Any]:
    form = {
        "grant_type": "client_credentials",
        "client_id": seed.client_id,
        "client_secret": seed.client_secret,
        "token_type": "jwt",
    }
    response = client.post("/oauth2/access_token", form | (changes or {}))
    return {"status": response.status_code, **response.json()}


def whoami(client: Client, authorization: str) -> tuple[int, str]:
    response = client.get("/whoami/", headers={"Authorization": authorization})
    return response.status_code, response.json().get("username", "")


class TestTokenEndpoint:
    @pytest.mark.parametrize("seed", CLIENTS, ids=lambda seed: seed.client_id)
    def test_the_documented_credentials_give_a_token(self, client: Client, seed: SeedClient) -> None:
        answer = ask_for_token(client, seed)

        assert answer["status"] == 200
        assert isinstance(answer["access_token"], str)
        assert answer["expires_in"] == 3600
        assert answer["token_type"] == "Bearer"

    def test_a_token_isnt_kept_in_the_clear(self, client: Client) -> None:
        token = ask_for_token(client)["access_token"]

        assert not get_access_token_model().objects.filter(token=token).exists()

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"client_secret": "wrong"}, 401),
            ({"client_secret": ""}, 401),
            ({"client_id": "nobody"}, 401),
            ({"client_id": "uni-b-sis"}, 401),
            ({"grant_type": ""}, 400),
            ({"grant_type": "password", "username": "admin", "password": "admin"}, 400),
            ({"grant_type": "authorization_code", "code": "x"}, 400),
        ],
    )
    def test_anything_else_gives_none(self, client: Client, changes: dict[str, str], status: int) -> None:
        answer = ask_for_token(client, changes=changes)

        assert answer["status"] == status
        assert "access_token" not in answer
        assert answer["error"]

    def test_the_path_ends_without_a_slash(self, client: Client) -> None:
        assert client.post("/oauth2/access_token/", {}).status_code == 404


class TestAuthorizationHeader:
    @pytest.mark.parametrize("scheme", ["JWT", "Bearer", "jwt", "BEARER"])
    def test_both_schemes_carry_the_token(self, client: Client, scheme: str) -> None:
        token = ask_for_token(client)["access_token"]

        assert whoami(client, f"{scheme} {token}") == (200, "uni-a-sis")

    def test_each_client_is_its_own_user(self, client: Client) -> None:
        tokens = {seed.client_id: ask_for_token(client, seed)["access_token"] for seed in CLIENTS}

        assert {client_id: whoami(client, f"JWT {token}")[1] for client_id, token in tokens.items()} == {
            seed.client_id: seed.client_id for seed in CLIENTS
        }
        may = "university_enrollments.act_for_all_schools"
        assert User.objects.get(username="registrar").has_perm(may)
        assert not User.objects.get(username="uni-a-sis").has_perm(may)

    @pytest.mark.parametrize(
        "authorization", ["JWT", "JWT a b", "Bearer nonsense", "JWT \N{SNOWMAN}", "Bearer " + "x" * 9000]
    )
    def test_what_is_no_token_is_401(self, client: Client, authorization: str) -> None:
        response = client.get("/whoami/", headers={"Authorization": authorization.encode().decode("latin-1")})

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    def test_no_token_is_401(self, client: Client) -> None:
        response = client.get("/whoami/")

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    def test_an_expired_token_is_401(self, client: Client) -> None:
        token = ask_for_token(client)["access_token"]
        get_access_token_model().objects.update(expires=timezone.now() - timedelta(seconds=1))

        assert whoami(client, f"JWT {token}")[0] == 401

    def test_a_token_of_an_inactive_user_is_401(self, client: Client) -> None:
        token = ask_for_token(client)["access_token"]
        User.objects.filter(username="uni-a-sis").update(is_active=False)

        assert whoami(client, f"JWT {token}")[0] == 401

    def test_a_token_of_a_removed_client_is_401(self, client: Client) -> None:
        token = ask_for_token(client)["access_token"]
        get_application_model().objects.filter(client_id="uni-a-sis").delete()

        assert whoami(client, f"JWT {token}")[0] == 401

    def test_a_token_in_the_query_counts_for_nothing(self, client: Client) -> None:
        token = ask_for_token(client)["access_token"]

        assert client.get("/whoami/", {"access_token": token}).status_code == 401

    def test_a_token_needs_no_protection_against_forged_requests(self) -> None:
        client = Client(enforce_csrf_checks=True)
        token = ask_for_token(client)["access_token"]

        response = client.post("/whoami/", headers={"Authorization": f"JWT {token}"})

        assert response.status_code == 200

    def test_a_session_is_who_it_is(self, client: Client) -> None:
        user = SuperuserFactory()
        client.force_login(user)

        assert client.get("/whoami/").json() == {"username": user.username}

    def test_recognizing_a_client_takes_one_statement(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        token = ask_for_token(client)["access_token"]

        with django_assert_num_queries(1):
            assert whoami(client, f"JWT {token}")[0] == 200


@pytest.fixture
def no_cached_tokens() -> Iterator[None]:
    """The client library keeps tokens in Django's cache, longer than the test's database keeps them."""
    yield
    cache.clear()
    TieredCache.dangerous_clear_all_tiers()


@pytest.mark.django_db(transaction=True)
def test_the_existing_client_library_works_unmodified(live_server: LiveServer, no_cached_tokens: None) -> None:
    session = OAuthAPIClient(live_server.url, SIS.client_id, SIS.client_secret)

    assert session.get(f"{live_server.url}/whoami/").json() == {"username": "uni-a-sis"}
