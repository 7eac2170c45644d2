"""What is refused: every row signs a response that is right but for one thing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from lxml import etree
from social_django.models import UserSocialAuth

from program_enrollments.data import SignOnRefusal
from program_enrollments.models import IdentityProvider, SamlConfiguration, SeenAssertion
from program_enrollments.saml.documents import SAML
from program_enrollments.saml.identities import UID
from program_enrollments.saml.refusals import EXPLANATIONS
from tests.saml.student import Student, refusal_on
from tests.saml.university import AUDIENCE, University, at, encode, signature_of

pytestmark = pytest.mark.once

ELSEWHERE = "https://elsewhere.example/sso/acs/"
HOURS = 3600
SECRET = "secret-student-7f3a"

WRONG_PARTS: dict[str, tuple[dict[str, Any], SignOnRefusal]] = {
    "expired": ({"not_on_or_after": at(-HOURS)}, SignOnRefusal.EXPIRED),
    "confirmation expired": ({"confirmed_not_on_or_after": at(-HOURS)}, SignOnRefusal.EXPIRED),
    "session over": ({"session_not_on_or_after": at(-HOURS)}, SignOnRefusal.EXPIRED),
    "not yet valid": ({"not_before": at(HOURS)}, SignOnRefusal.NOT_YET_VALID),
    "wrong audience": ({"audience": "https://elsewhere.example/"}, SignOnRefusal.AUDIENCE_WRONG),
    "audience in another case": ({"audience": AUDIENCE.upper()}, SignOnRefusal.AUDIENCE_WRONG),
    "no audience": ({"audience": None}, SignOnRefusal.CONDITIONS_MISSING),
    "wrong destination": ({"destination": ELSEWHERE}, SignOnRefusal.DESTINATION_WRONG),
    "our address is but a part of the destination": (
        {"destination": "https://elsewhere.example/?http://testserver/sso/acs/"},
        SignOnRefusal.DESTINATION_WRONG,
    ),
    "our address goes on": ({"destination": "http://testserver/sso/acs/more"}, SignOnRefusal.DESTINATION_WRONG),
    "no destination": ({"destination": None}, SignOnRefusal.CONDITIONS_MISSING),
    "empty destination": ({"destination": ""}, SignOnRefusal.CONDITIONS_MISSING),
    "wrong recipient": ({"recipient": ELSEWHERE}, SignOnRefusal.DESTINATION_WRONG),
    "our address is but a part of the recipient": (
        {"recipient": "https://elsewhere.example/?http://testserver/sso/acs/"},
        SignOnRefusal.DESTINATION_WRONG,
    ),
    "no recipient": ({"recipient": None}, SignOnRefusal.CONDITIONS_MISSING),
    "no end": ({"not_on_or_after": None}, SignOnRefusal.CONDITIONS_MISSING),
    "no end of the confirmation": ({"confirmed_not_on_or_after": None}, SignOnRefusal.CONDITIONS_MISSING),
    "an end beyond all calendars": ({"not_on_or_after": "9999-12-31T23:59:59Z"}, SignOnRefusal.RESPONSE_UNREADABLE),
    "declined": ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, SignOnRefusal.DECLINED),
    "another issuer of the response": (
        {"response_issuer": "https://idp.uni-b.example/saml"},
        SignOnRefusal.ISSUER_WRONG,
    ),
    "the assertion answers another request": ({"confirmed_request_id": "_other"}, SignOnRefusal.REQUEST_UNKNOWN),
    "the assertion answers no request": ({"confirmed_request_id": None}, SignOnRefusal.REQUEST_UNKNOWN),
    "no permanent ID": ({"attributes": {"mail": ["a@uni-a.example"]}}, SignOnRefusal.ID_MISSING),
    "no attributes at all": ({"attributes": {}}, SignOnRefusal.ID_MISSING),
    "permanent ID without value": ({"attributes": {UID: []}}, SignOnRefusal.ID_MISSING),
    "empty permanent ID": ({"attributes": {UID: ["  "]}}, SignOnRefusal.ID_MISSING),
    "two permanent IDs": ({"attributes": {UID: ["student1", "student2"]}}, SignOnRefusal.ID_AMBIGUOUS),
    "the same permanent ID twice": ({"attributes": {UID: ["student1", "student1"]}}, SignOnRefusal.ID_AMBIGUOUS),
    "permanent ID in two attributes": (
        {
            "raw_values": f'<saml:Attribute Name="{UID}"><saml:AttributeValue>student2</saml:AttributeValue>'
            "</saml:Attribute>"
        },
        SignOnRefusal.ID_AMBIGUOUS,
    ),
    "permanent ID that is a nested name": (
        {
            "attributes": {},
            "raw_values": f'<saml:Attribute Name="{UID}"><saml:AttributeValue><saml:NameID>student1</saml:NameID>'
            "</saml:AttributeValue></saml:Attribute>",
        },
        SignOnRefusal.ID_AMBIGUOUS,
    ),
    "permanent ID too long": ({"attributes": {UID: ["x" * 256]}}, SignOnRefusal.ID_UNUSABLE),
    "permanent ID too long with its slug": ({"attributes": {UID: ["x" * 250]}}, SignOnRefusal.ID_UNUSABLE),
    "permanent ID that folds to one too long": ({"attributes": {UID: ["ß" * 200]}}, SignOnRefusal.ID_UNUSABLE),
    "control character in the permanent ID": ({"attributes": {UID: ["a\x85b"]}}, SignOnRefusal.ID_UNUSABLE),
}


def assert_refused(response: Any, refusal: SignOnRefusal, student: Student) -> None:
    page = response.content.decode()
    assert refusal_on(page) == refusal.value, page
    assert response.status_code == EXPLANATIONS[refusal].status
    assert 400 <= response.status_code < 500
    assert student.username == ""
    assert not User.objects.exists()
    assert not UserSocialAuth.objects.exists()
    assert not SeenAssertion.objects.exists()


@pytest.mark.parametrize("name", WRONG_PARTS)
def test_a_response_with_one_thing_wrong(student: Student, uni_a: University, name: str) -> None:
    parts, refusal = WRONG_PARTS[name]

    response = student.come_back(uni_a.response(student.start(), **parts))

    assert_refused(response, refusal, student)


def unsigned(university: University, root: etree._Element) -> etree._Element:
    assertion = root.find(f"{SAML}Assertion")
    assertion.remove(signature_of(assertion))
    return root


def signed_response_only(university: University, root: etree._Element) -> etree._Element:
    return university.sign(unsigned(university, root))


def changed(university: University, root: etree._Element) -> etree._Element:
    root.find(f".//{SAML}AttributeValue").text = "student2"
    return root


def changed_conditions(university: University, root: etree._Element) -> etree._Element:
    root.find(f".//{SAML}Conditions").set("NotOnOrAfter", at(2 * HOURS))
    return root


def by(**how: str) -> Callable[[University, etree._Element], etree._Element]:
    def resign(university: University, root: etree._Element) -> etree._Element:
        return university.sign(unsigned(university, root).find(f"{SAML}Assertion"), **how)

    return resign


def wrong_response_signature(university: University, root: etree._Element) -> etree._Element:
    """The assertion's signature holds, but the one of the response doesn't."""
    root = university.sign(root)
    root.set("IssueInstant", at(-HOURS))
    return root


WRONG_SIGNATURES: dict[str, tuple[Callable[[University, etree._Element], etree._Element], SignOnRefusal]] = {
    "unsigned": (unsigned, SignOnRefusal.UNSIGNED),
    "only the response signed": (signed_response_only, SignOnRefusal.UNSIGNED),
    "attribute changed": (changed, SignOnRefusal.SIGNATURE_WRONG),
    "conditions changed": (changed_conditions, SignOnRefusal.SIGNATURE_WRONG),
    "signed by RSA with SHA-1": (by(method="RSA_SHA1"), SignOnRefusal.ALGORITHM_WEAK),
    "digest by SHA-1": (by(digest="SHA1"), SignOnRefusal.ALGORITHM_WEAK),
    "signs the whole document": (by(uri=""), SignOnRefusal.SIGNATURE_WRONG),
    "wrong signature of the response beside the right one": (wrong_response_signature, SignOnRefusal.SIGNATURE_WRONG),
}


@pytest.mark.parametrize("name", WRONG_SIGNATURES)
def test_a_response_that_is_not_signed_as_it_should_be(student: Student, uni_a: University, name: str) -> None:
    make, refusal = WRONG_SIGNATURES[name]
    root = uni_a.signed(uni_a.says(student.start()))

    response = student.come_back(encode(make(uni_a, root)))

    assert_refused(response, refusal, student)


def test_a_response_signed_by_somebody_else(student: Student, universities: dict[str, University]) -> None:
    statement = universities["uni-a"].says(student.start())

    response = student.come_back(encode(universities["stranger"].signed(statement)))

    assert_refused(response, SignOnRefusal.SIGNATURE_WRONG, student)


def test_a_key_that_the_response_brings_along_is_not_believed(
    student: Student, universities: dict[str, University]
) -> None:
    stranger = universities["stranger"]
    root = stranger.signed(universities["uni-a"].says(student.start()))
    body = "".join(stranger.certificate.strip().splitlines()[1:-1])
    signature_of(root.find(f"{SAML}Assertion")).append(
        etree.fromstring(
            f'<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{body}'
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        )
    )

    assert_refused(student.come_back(encode(root)), SignOnRefusal.SIGNATURE_WRONG, student)


class TestTheOtherUniversity:
    """University B may say what it likes: it never speaks for University A."""

    def test_cannot_sign_as_university_a(
        self, student: Student, universities: dict[str, University], other_provider: IdentityProvider
    ) -> None:
        statement = universities["uni-a"].says(student.start())
        assert_refused(
            student.come_back(encode(universities["uni-b"].signed(statement))), SignOnRefusal.SIGNATURE_WRONG, student
        )

    def test_cannot_answer_a_request_to_university_a(
        self, student: Student, uni_b: University, other_provider: IdentityProvider
    ) -> None:
        assert_refused(student.come_back(uni_b.response(student.start())), SignOnRefusal.ISSUER_WRONG, student)

    @pytest.mark.parametrize("remote_id", ["uni-a:student1", ":uni-a:student1", "uni-a%3Astudent1"])
    def test_cannot_put_another_slug_into_an_id(
        self, student: Student, uni_b: University, other_provider: IdentityProvider, remote_id: str
    ) -> None:
        encoded = uni_b.response(student.start("uni-b"), attributes={UID: [remote_id]})

        assert student.come_back(encoded).status_code == 302
        assert UserSocialAuth.objects.get().uid == f"uni-b:{remote_id}"

    def test_cannot_choose_the_slug_by_its_request(
        self, student: Student, uni_a: University, other_provider: IdentityProvider
    ) -> None:
        """The slug follows from who has signed: nothing that travels with the browser names it."""
        encoded = uni_a.response(student.start(), attributes={UID: ["student1"]})
        student.come_back(encoded, RelayState='{"idp": "uni-b", "next": "/"}')

        assert UserSocialAuth.objects.get().uid == "uni-a:student1"


class TestProviders:
    def test_a_disabled_one_signs_nobody_in(
        self, student: Student, uni_a: University, provider: IdentityProvider
    ) -> None:
        encoded = uni_a.response(student.start())
        IdentityProvider.objects.update(is_enabled=False)

        assert_refused(student.come_back(encoded), SignOnRefusal.PROVIDER_DISABLED, student)
        assert_refused(student.client.get("/sso/start/uni-a/"), SignOnRefusal.PROVIDER_DISABLED, student)

    def test_one_without_saml_configuration_is_no_way_in(self, student: Student) -> None:
        SamlConfiguration.objects.all().delete()

        assert_refused(student.client.get("/sso/start/uni-a/"), SignOnRefusal.PROVIDER_INCOMPLETE, student)

    @pytest.mark.parametrize("slug", ["nowhere", "UNI-A", "uni-a%00", "%ff", "x" * 2000])
    def test_an_unknown_one(self, student: Student, slug: str) -> None:
        assert_refused(student.client.get(f"/sso/start/{slug}/"), SignOnRefusal.PROVIDER_UNKNOWN, student)

    def test_an_unknown_issuer(self, student: Student, universities: dict[str, University]) -> None:
        response = student.come_back(universities["stranger"].response(student.start()))

        assert_refused(response, SignOnRefusal.PROVIDER_UNKNOWN, student)

    def test_a_certificate_that_was_taken_away_counts_no_more(
        self, student: Student, universities: dict[str, University]
    ) -> None:
        encoded = universities["uni-a"].response(student.start())
        SamlConfiguration.objects.update(signing_certificates=universities["stranger"].certificate)

        assert_refused(student.come_back(encoded), SignOnRefusal.SIGNATURE_WRONG, student)

    def test_unusable_certificates_are_no_error(self, student: Student) -> None:
        SamlConfiguration.objects.update(signing_certificates="nonsense")

        assert_refused(student.client.get("/sso/start/uni-a/"), SignOnRefusal.CERTIFICATES_UNUSABLE, student)


class TestRequests:
    def test_a_response_that_nobody_here_asked_for(self, student: Student, uni_a: University) -> None:
        assert_refused(student.come_back(uni_a.response(None)), SignOnRefusal.UNASKED, student)

    def test_a_response_to_another_browsers_request(self, student: Student, uni_a: University) -> None:
        """Somebody's own sign-on, slipped to another person, signs that person in nowhere."""
        encoded = uni_a.response(Student().start())

        assert_refused(student.come_back(encoded), SignOnRefusal.REQUEST_UNKNOWN, student)

    def test_a_response_whose_request_was_cut_off(
        self, student: Student, uni_a: University, provider: IdentityProvider
    ) -> None:
        """The response's own mention of the request is outside of the signature."""
        SamlConfiguration.objects.update(allows_idp_initiated=True)
        root = uni_a.signed(uni_a.says(Student().start()))
        del root.attrib["InResponseTo"]

        assert_refused(student.come_back(encode(root)), SignOnRefusal.REQUEST_UNKNOWN, student)

    def test_a_forged_request_cookie(self, student: Student, uni_a: University) -> None:
        request_id = Student().start()
        student.client.cookies[f"sign_on{request_id}"] = "WyJfIiwidW5pLWEiLCIiLDFd:1abc:nonsense"

        assert_refused(student.come_back(uni_a.response(request_id)), SignOnRefusal.REQUEST_UNKNOWN, student)


class TestThePage:
    def test_says_what_to_do_and_whom_to_ask(self, student: Student, uni_a: University) -> None:
        page = student.come_back(uni_a.response(student.start(), attributes={})).content.decode()

        assert "write to support" in page.lower()
        assert "support@demo-lms.example" in page
        assert str(EXPLANATIONS[SignOnRefusal.ID_MISSING].support) in page

    def test_shares_a_reference_number_with_the_one_log_line(
        self, student: Student, uni_a: University, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = student.come_back(uni_a.response(student.start(), attributes={UID: [SECRET, "other"]}))

        ours = [record for record in caplog.records if record.name.startswith("program_enrollments")]
        assert len(ours) == 1
        line = ours[0].getMessage()
        reference = re.search(r"reference ([0-9A-F]{4}-[0-9A-F]{4})\.", line)
        assert reference, line
        assert reference[1] in response.content.decode()
        assert "id_ambiguous" in line
        assert "uni-a" in line
        assert ours[0].exc_info is None

    def test_nothing_a_sender_chose_gets_into_page_log_or_output(
        self,
        student: Student,
        uni_a: University,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        for parts in (
            {"attributes": {UID: [SECRET, SECRET]}},
            {"audience": SECRET},
            {"destination": SECRET},
            {"issuer": SECRET},
            {"status": SECRET},
            {"not_before": at(HOURS), "attributes": {UID: [SECRET]}},
        ):
            response = student.come_back(uni_a.response(student.start(), **parts))
            assert SECRET not in response.content.decode()
        student.come_back(encode(f"<{SECRET}>"))

        assert not any(SECRET in record.getMessage() for record in caplog.records)
        output = capfd.readouterr()
        assert SECRET not in output.out + output.err
        assert output.out == "", "the SAML library writes nothing of its own"

    def test_there_are_words_for_every_refusal(self) -> None:
        assert set(EXPLANATIONS) == set(SignOnRefusal)
        ours = {code for code, explanation in EXPLANATIONS.items() if not 400 <= explanation.status < 500}
        assert ours == {SignOnRefusal.HOST_UNAVAILABLE}
