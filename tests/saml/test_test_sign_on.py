"""The page that ends a test sign-on: what it says of each attribute."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from lxml import html

from program_enrollments.models import IdentityProvider, SamlConfiguration
from program_enrollments.saml.attributes import FRIENDLY_NAMES
from program_enrollments.saml.identities import EMAIL, FIRST_NAME, FULL_NAME, LAST_NAME, UID, USERNAME
from tests.factories.enrollment import UserSocialAuthFactory
from tests.factories.host import StaffUserFactory, SuperuserFactory
from tests.saml.student import MAIL, Student, sign_on
from tests.saml.university import University

pytestmark = pytest.mark.once

NUMBER = "urn:oid:1.3.6.1.4.1.99999.1"
AFFILIATION = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"


@pytest.fixture(autouse=True)
def for_tests_only(provider: IdentityProvider) -> None:
    SamlConfiguration.objects.update(is_test_only=True)


def rows(response: Any) -> dict[str, str]:
    """Return the text of each row of the table of attributes, by the attribute's name."""
    tree = html.fromstring(response.content.decode())
    return {
        row.xpath("string(./th/code)"): " ".join(" ".join(row.itertext()).split())
        for row in tree.xpath("//table/tbody/tr")
    }


class TestFriendlyNames:
    def test_stand_before_the_names_that_count(self, student: Student, uni_a: University) -> None:
        found = rows(sign_on(student, uni_a, "S-1", mail=["s@uni-a.example"], affiliation=["student"]))

        assert found[MAIL].startswith(f"mail ( {MAIL} )")
        assert found[UID].startswith(f"uid ( {UID} )")
        assert found["affiliation"].startswith("affiliation student"), "a name that can be read needs no other"

    def test_are_what_the_university_calls_what_nobody_knows(self, student: Student, uni_a: University) -> None:
        value = "<saml:AttributeValue>4711</saml:AttributeValue>"
        raw = f'<saml:Attribute Name="{NUMBER}" FriendlyName="student &lt;b&gt;Number">{value}</saml:Attribute>'

        response = student.come_back(uni_a.response(student.start(), raw_values=raw))

        assert rows(response)[NUMBER].startswith(f"student <b>Number ( {NUMBER} )")
        assert "<b>" not in response.content.decode()

    def test_of_known_attributes_are_ours_whatever_the_university_calls_them(
        self, student: Student, uni_a: University
    ) -> None:
        value = "<saml:AttributeValue>s@uni-a.example</saml:AttributeValue>"
        raw = f'<saml:Attribute Name="{MAIL}" FriendlyName="studentNumber">{value}</saml:Attribute>'

        response = student.come_back(uni_a.response(student.start(), raw_values=raw))

        assert rows(response)[MAIL].startswith(f"mail ( {MAIL} )")

    def test_are_there_for_each_usual_name(self) -> None:
        usual = [*EMAIL, *USERNAME, *FULL_NAME, *FIRST_NAME, *LAST_NAME]

        assert [name for name in usual if name.startswith("urn:") and name not in FRIENDLY_NAMES] == []


class TestThePermanentId:
    def test_is_pointed_out_with_what_else_it_could_be(self, student: Student, uni_a: University) -> None:
        given = {NUMBER: ["4711"], "groups": ["a", "b"], "empty": [""], "long": ["x" * 300], AFFILIATION: ["student"]}
        found = rows(sign_on(student, uni_a, "S-1", mail=["s@uni-a.example"], **given))

        assert "This is the permanent ID" in found[UID]
        assert "Could be the permanent ID" in found[NUMBER]
        assert f"enter {NUMBER}" in found[NUMBER]
        for name in (MAIL, "groups", "empty", "long", AFFILIATION):
            assert "permanent ID" not in found[name], name

    def test_has_hints_above_all_when_it_is_missing(self, student: Student, uni_a: University) -> None:
        SamlConfiguration.objects.update(id_attribute="studentNumber")

        response = sign_on(student, uni_a, "S-1")

        assert "A real sign-on would be refused" in response.content.decode()
        assert "Could be the permanent ID" in rows(response)[UID]

    def test_is_named_as_people_know_it(self, student: Student, uni_a: University) -> None:
        page = sign_on(student, uni_a, "S-1").content.decode()

        assert f"The permanent ID is read from uid (<code>{UID}</code>)." in page


class TestUsingAnother:
    """Staff in whose browser the test ran choose the attribute on the page that shows it."""

    def chosen(self, student: Student, university: University) -> list[str]:
        response = sign_on(student, university, "S-1", **{NUMBER: ["4711"]})
        return [str(link) for link in html.fromstring(response.content.decode()).xpath("//table//a/@href")]

    def test_is_a_link_and_a_button(self, student: Student, uni_a: University) -> None:
        student.client.force_login(SuperuserFactory())
        (link,) = self.chosen(student, uni_a)
        page = student.client.get(link).content.decode()
        assert NUMBER in page
        assert "People have signed on" not in page

        response = student.client.post(link)

        configuration = SamlConfiguration.objects.get()
        assert configuration.id_attribute == NUMBER
        assert response["Location"].endswith(f"/identityprovider/{configuration.identity_provider_id}/change/")
        entry = LogEntry.objects.get()
        assert NUMBER in entry.change_message
        assert UID in entry.change_message

    def test_warns_if_people_have_signed_on(self, student: Student, uni_a: University) -> None:
        UserSocialAuthFactory(uid="uni-a:S-2")
        student.client.force_login(SuperuserFactory())

        assert b"People have signed on" in student.client.get(self.chosen(student, uni_a)[0]).content

    def test_is_no_link_for_others(self, student: Student, uni_a: University) -> None:
        assert self.chosen(student, uni_a) == []
        student.client.force_login(StaffUserFactory())
        assert self.chosen(student, uni_a) == []
        url = "/admin/university_enrollments/identityprovider/permanent-id/?slug=uni-a&name=x"
        assert student.client.get(url).status_code == 403
        assert student.client.post(url).status_code == 403

    @pytest.mark.parametrize("query", ["", "?slug=uni-a", "?name=x", "?slug=nobody&name=x", "?slug=uni-a&name=%00"])
    def test_of_nothing_is_not_found(self, student: Student, query: str) -> None:
        student.client.force_login(SuperuserFactory())
        url = "/admin/university_enrollments/identityprovider/permanent-id/"
        assert student.client.get(url + query).status_code == 404
        assert student.client.get(f"{url}?slug=uni-a&name={'x' * 256}").status_code == 404
