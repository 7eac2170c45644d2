from __future__ import annotations

import pytest
from social_django.models import UserSocialAuth

from program_enrollments import api
from program_enrollments.models import IdentityProvider, SamlConfiguration, SeenAssertion
from tests.factories.host import ConfirmedUserFactory, UserFactory
from tests.saml.student import Student, hidden_fields, sign_on
from tests.saml.university import University, at


class TestTabs:
    def test_don_t_disturb_each_other(self, student: Student, uni_a: University, uni_b: University) -> None:
        first = student.start(next="/courses/one/")
        second = student.start(next="/courses/two/")

        assert student.come_back(uni_a.response(second))["Location"] == "/courses/two/"
        assert student.come_back(uni_a.response(first))["Location"] == "/courses/one/"

    def test_an_answered_request_is_forgotten(self, student: Student, uni_a: University) -> None:
        request_id = student.start()
        student.come_back(uni_a.response(request_id))

        assert student.client.cookies[f"sign_on{request_id}"].value == ""
        assert student.come_back(uni_a.response(request_id)).status_code == 403

    def test_many_make_room_for_new_ones(self, student: Student, uni_a: University) -> None:
        requests = [student.start(next="/" + f"{number:04}" * 100) for number in range(30)]

        kept = [name for name, cookie in student.client.cookies.items() if name.startswith("sign_on_") and cookie.value]
        assert sum(len(name) + len(student.client.cookies[name].value) for name in kept) < 4_000
        assert len(kept) >= 4
        assert student.come_back(uni_a.response(requests[-1])).status_code == 302

    def test_cookies_are_out_of_reach_for_scripts_and_other_sites(self, student: Student) -> None:
        cookie = student.client.cookies[f"sign_on{student.start()}"]

        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/sso/"
        assert 0 < int(cookie["max-age"]) <= 3600


class TestAssertionsWorkOnce:
    def test_in_the_same_browser(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(allows_idp_initiated=True)
        encoded = uni_a.response(None)

        assert student.come_back(encoded).status_code == 302
        again = student.come_back(encoded)

        assert again.status_code == 403
        assert "replayed" in again.content.decode()

    def test_in_another_browser_signed_and_worded_anew(self, student: Student, uni_a: University) -> None:
        """What counts is the assertion's own ID: everything around it may be another."""
        SamlConfiguration.objects.update(allows_idp_initiated=True)
        student.come_back(uni_a.response(None, assertion_id="_same"))
        other = Student()

        response = other.come_back(uni_a.response(None, assertion_id="_same", response_id="_other"))

        assert response.status_code == 403
        assert other.username == ""

    def test_but_are_told_apart_by_university(
        self, student: Student, uni_a: University, uni_b: University, other_provider: IdentityProvider
    ) -> None:
        SamlConfiguration.objects.update(allows_idp_initiated=True)

        assert student.come_back(uni_a.response(None, assertion_id="_same")).status_code == 302
        assert student.come_back(uni_b.response(None, assertion_id="_same")).status_code == 302

    def test_and_are_forgotten_after_they_expired(self, student: Student, uni_a: University) -> None:
        sign_on(student, uni_a)
        seen = SeenAssertion.objects.get()

        assert api.forget_expired_assertions(now=seen.expires_at) == 0
        assert api.forget_expired_assertions(now=seen.expires_at.replace(year=seen.expires_at.year + 1)) == 1


class TestClocks:
    """One tolerance for all limits, in both directions: three minutes unless set otherwise."""

    @pytest.mark.parametrize(
        ("limit", "inside", "outside"),
        [
            ("not_before", 150, 220),
            ("not_on_or_after", -150, -220),
            ("confirmed_not_on_or_after", -150, -220),
            ("session_not_on_or_after", -150, -220),
        ],
    )
    def test_may_differ_a_little(
        self, student: Student, uni_a: University, limit: str, inside: int, outside: int
    ) -> None:
        for seconds, status in ((inside, 302), (outside, 403)):
            response = student.come_back(uni_a.response(student.start(), **{limit: at(seconds)}))
            assert response.status_code == status

    def test_an_assertion_is_remembered_until_no_clock_takes_it(self, student: Student, uni_a: University) -> None:
        student.come_back(uni_a.response(student.start(), confirmed_not_on_or_after=at(60), not_on_or_after=at(90)))

        left = SeenAssertion.objects.get().expires_at - UserSocialAuth.objects.get().created
        assert 60 + 180 - 20 <= left.total_seconds() <= 60 + 180 + 20


class TestStartedByTheUniversity:
    def test_signs_on_where_that_is_allowed(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(allows_idp_initiated=True)

        response = student.come_back(uni_a.response(None), RelayState="/courses/course-v1:UniA+CS101+2026/")

        assert response["Location"] == "/courses/course-v1:UniA+CS101+2026/"
        assert student.username == "student1"

    def test_signs_on_whom_it_names_not_who_is_there(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(allows_idp_initiated=True)
        student.client.force_login(ConfirmedUserFactory(username="somebody"))

        student.come_back(uni_a.response(None))

        assert student.username == "student1"


class TestSocialAuthsOwnAddresses:
    """They lead to the pages here, or do the very same: no way around what is checked."""

    def test_begin_starts_a_sign_on(self, student: Student) -> None:
        response = student.client.post("/auth/login/tpa-saml/", {"idp": "uni-a", "next": "/courses/one/"})
        assert response["Location"] == "/sso/start/uni-a/?next=%2Fcourses%2Fone%2F"

        for odd in ({}, {"idp": ""}):
            assert student.client.post("/auth/login/tpa-saml/", odd)["Location"] == "/sso/"
        response = student.client.post("/auth/login/tpa-saml/", {"idp": "../admin", "next": "https://evil.example/"})
        assert response["Location"].startswith("/sso/start/")
        assert "evil" not in response["Location"]

    def test_complete_signs_on_whom_the_university_names(self, student: Student, uni_a: University) -> None:
        student.client.force_login(UserFactory(username="somebody"))
        request_id = student.start()
        page = student.client.post("/auth/complete/tpa-saml/", {"SAMLResponse": uni_a.response(request_id)})

        response = student.client.post("/auth/complete/tpa-saml/", hidden_fields(page.content.decode()))

        assert response["Location"] == "/dashboard/"
        assert student.username == "student1"
        assert not UserSocialAuth.objects.filter(user__username="somebody").exists()

    @pytest.mark.parametrize("fields", [{}, {"SAMLResponse": "nonsense", "sign_on_returned": "1"}, {"RelayState": "["}])
    def test_complete_refuses_with_a_page(self, student: Student, fields: dict[str, str]) -> None:
        response = student.client.post("/auth/complete/tpa-saml/", fields)

        assert response.status_code == 400
        assert "You could not be signed in" in response.content.decode()
        assert student.client.get("/auth/complete/tpa-saml/").status_code == 400
