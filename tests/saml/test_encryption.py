"""Assertions encrypted to this service's key, as some universities send them by default."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest
from lxml import etree

from demo_lms.idp.keys import KeyPair
from program_enrollments.data import SignOnRefusal
from program_enrollments.saml.documents import SAML, XENC
from program_enrollments.saml.identities import UID
from program_enrollments.xml_security import DS
from tests.saml.encryption import encrypted, envelope_of
from tests.saml.pysaml2_university import pysaml2_response
from tests.saml.student import Student, refusal_on
from tests.saml.university import University, at, encode

# Whether a document is believed is decided before the database is asked.
pytestmark = pytest.mark.once


@pytest.mark.usefixtures("with_our_key")
class TestWithAKey:
    @pytest.mark.parametrize("beside", [False, True], ids=["key inside the data", "key beside the data"])
    @pytest.mark.parametrize("cipher", ["AES256", "AES256_GCM"])
    def test_they_are_opened(
        self, student: Student, uni_a: University, our_keys: KeyPair, cipher: str, beside: bool
    ) -> None:
        root = uni_a.signed(uni_a.says(student.start()))

        response = student.come_back(encode(encrypted(root, our_keys, cipher=cipher, beside=beside)))

        assert response.status_code == 302, response.content.decode()
        assert student.username == "student1"

    def test_what_is_inside_must_be_signed_all_the_same(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        root = etree.fromstring(uni_a.says(student.start()).xml().encode())

        response = student.come_back(encode(encrypted(root, our_keys)))

        assert response.status_code == 403
        assert "unsigned" in response.content.decode()

    def test_key_transport_by_rsa_1_5_is_refused(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        root = encrypted(uni_a.signed(uni_a.says(student.start())), our_keys, transport="RSA_PKCS1")

        assert student.come_back(encode(root)).status_code == 400

    def test_one_for_somebody_else_is_refused(self, student: Student, uni_a: University) -> None:
        root = uni_a.signed(uni_a.says(student.start()))

        assert student.come_back(encode(encrypted(root, uni_a.keys))).status_code == 400

    @pytest.mark.parametrize("what", ["CipherValue", "EncryptedKey", "KeyInfo", "EncryptedData"])
    def test_broken_ones_are_refused(self, student: Student, uni_a: University, our_keys: KeyPair, what: str) -> None:
        root = encrypted(uni_a.signed(uni_a.says(student.start())), our_keys)
        for namespace in (XENC, DS):
            for element in list(root.iter(f"{namespace}{what}")):
                if what == "CipherValue":
                    element.text = "AAAA"
                else:
                    element.getparent().remove(element)

        assert student.come_back(encode(root)).status_code == 400

    def test_two_are_refused(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        root = encrypted(uni_a.signed(uni_a.says(student.start())), our_keys)
        root.append(deepcopy(root.find(f"{SAML}EncryptedAssertion")))

        assert student.come_back(encode(root)).status_code == 400

    def test_one_beside_a_plain_one_is_refused(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        statement = uni_a.says(student.start())
        root = encrypted(uni_a.signed(statement), our_keys)
        root.append(uni_a.signed(statement).find(f"{SAML}Assertion"))

        assert 400 <= student.come_back(encode(root)).status_code < 500
        assert student.username == ""


def garbled(root: etree._Element, our_keys: KeyPair) -> etree._Element:
    """Return the response with one bit of the ciphertext changed, as who doesn't have the key can do."""
    root = encrypted(root, our_keys, cipher="AES256")
    value = root.find(f"{SAML}EncryptedAssertion/{XENC}EncryptedData/{XENC}CipherData/{XENC}CipherValue")
    changed = bytearray(b64decode(value.text))
    changed[len(changed) // 2] ^= 0x80
    value.text = b64encode(bytes(changed)).decode()
    return root


@pytest.mark.usefixtures("with_our_key")
class TestACipherThatAnybodyCanChange:
    """AES-CBC: from how often a changed text could be read, its content can be found out. Many providers' default."""

    def test_tells_nobody_but_the_log_what_was_wrong_inside(
        self, student: Student, universities: dict[str, University], our_keys: KeyPair, caplog: pytest.LogCaptureFixture
    ) -> None:
        uni_a, stranger = universities["uni-a"], universities["stranger"]
        unknown = replace(uni_a, entity_id="https://unknown.example/saml")
        responses = {
            SignOnRefusal.RESPONSE_UNREADABLE: garbled(uni_a.signed(uni_a.says(student.start())), our_keys),
            SignOnRefusal.UNSIGNED: self.hidden(etree.fromstring(uni_a.says(student.start()).xml().encode()), our_keys),
            SignOnRefusal.SIGNATURE_WRONG: self.hidden(stranger.signed(uni_a.says(student.start())), our_keys),
            SignOnRefusal.PROVIDER_UNKNOWN: self.hidden(unknown.signed(unknown.says(student.start())), our_keys),
            SignOnRefusal.REQUEST_UNKNOWN: self.hidden(uni_a.signed(uni_a.says("_nobodys")), our_keys),
        }
        pages = set()
        for reason, root in responses.items():
            caplog.clear()
            page = student.come_back(encode(root))
            assert refusal_on(page.content.decode()) == SignOnRefusal.ENCRYPTION_WEAK, reason
            assert f"encryption_weak ({reason})" in caplog.text
            pages.add((page.status_code, re.sub(r"[0-9A-F]{4}-[0-9A-F]{4}", "", page.content.decode())))
        assert len(pages) == 1, "but for the reference number, one page"

    def test_signs_in_all_the_same(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        root = self.hidden(uni_a.signed(uni_a.says(student.start())), our_keys)
        assert student.come_back(encode(root)).status_code == 302
        assert student.username == "student1"

    def test_is_told_what_only_a_believed_assertion_can_be_wrong_about(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        late = replace(uni_a.says(student.start()), not_on_or_after=at(-900))
        page = student.come_back(encode(self.hidden(uni_a.signed(late), our_keys))).content.decode()
        assert refusal_on(page) == SignOnRefusal.EXPIRED

    @staticmethod
    def hidden(root: etree._Element, our_keys: KeyPair) -> etree._Element:
        return encrypted(root, our_keys, cipher="AES256")


SIGNED_IN = "signed in"
COMBINATIONS = {
    # (response signed, assertion signed, encrypted): what becomes of it
    (False, False, False): SignOnRefusal.UNSIGNED,
    (True, False, False): SignOnRefusal.UNSIGNED,
    (False, True, False): SIGNED_IN,
    (True, True, False): SIGNED_IN,
    # The library encrypts by 3DES in CBC mode.
    (False, False, True): SignOnRefusal.ENCRYPTION_WEAK,
    (True, False, True): SignOnRefusal.ENCRYPTION_WEAK,
    (False, True, True): SIGNED_IN,
    (True, True, True): SIGNED_IN,
}


def _called(combination: tuple[bool, bool, bool]) -> str:
    names = ("response signed", "assertion signed", "encrypted")
    return ", ".join(name for name, is_so in zip(names, combination, strict=True) if is_so) or "nothing"


@pytest.mark.usefixtures("with_our_key")
class TestWhatPysaml2Makes:
    @pytest.mark.parametrize("combination", COMBINATIONS, ids=_called)
    def test_signs_in_if_the_assertion_is_signed(
        self, student: Student, uni_a: University, our_keys: KeyPair, combination: tuple[bool, bool, bool]
    ) -> None:
        sign_response, sign_assertion, encrypt = combination
        encoded = pysaml2_response(
            uni_a,
            our_keys.certificate,
            student.start(),
            sign_response=sign_response,
            sign_assertion=sign_assertion,
            encrypt=encrypt,
        )
        root = etree.fromstring(b64decode(encoded))
        assert (root.find(f"{DS}Signature") is not None) == sign_response, "the library does what it was told"
        assert (root.find(f"{SAML}EncryptedAssertion") is not None) == encrypt
        assert encrypt or (root.find(f"{SAML}Assertion/{DS}Signature") is not None) == sign_assertion

        response = student.come_back(encoded)

        outcome = SIGNED_IN if student.username == "student1" else refusal_on(response.content.decode())
        assert outcome == COMBINATIONS[combination]


def test_without_a_key_they_are_refused(student: Student, uni_a: University, our_keys: KeyPair) -> None:
    root = uni_a.signed(uni_a.says(student.start()))

    assert student.come_back(encode(encrypted(root, our_keys))).status_code == 400


def another_ciphertext(root: etree._Element, university: University, stranger: University, keys: KeyPair) -> None:
    """The assertion that the university has signed for somebody else, in a response that it has signed."""
    other = university.signed(university.says(root.get("InResponseTo"), attributes={UID: ["victim"]}))
    put_in_place(root, envelope_of(other.find(f"{SAML}Assertion"), keys))


def a_strangers_assertion(root: etree._Element, university: University, stranger: University, keys: KeyPair) -> None:
    other = stranger.signed(university.says(root.get("InResponseTo"), attributes={UID: ["victim"]}))
    put_in_place(root, envelope_of(other.find(f"{SAML}Assertion"), keys))


def an_unsigned_assertion(root: etree._Element, university: University, stranger: University, keys: KeyPair) -> None:
    statement = university.says(root.get("InResponseTo"), attributes={UID: ["victim"]})
    put_in_place(root, envelope_of(etree.fromstring(statement.xml()).find(f"{SAML}Assertion"), keys))


def the_assertion_in_plain(root: etree._Element, university: University, stranger: University, keys: KeyPair) -> None:
    other = university.signed(university.says(root.get("InResponseTo"), attributes={UID: ["victim"]}))
    put_in_place(root, other.find(f"{SAML}Assertion"))


def put_in_place(root: etree._Element, replacement: etree._Element) -> None:
    root.replace(root.find(f"{SAML}EncryptedAssertion"), replacement)


SWAPS: dict[Callable[[etree._Element, University, University, KeyPair], None], SignOnRefusal] = {
    another_ciphertext: SignOnRefusal.SIGNATURE_WRONG,
    a_strangers_assertion: SignOnRefusal.SIGNATURE_WRONG,
    an_unsigned_assertion: SignOnRefusal.UNSIGNED,
    the_assertion_in_plain: SignOnRefusal.SIGNATURE_WRONG,
}


@pytest.mark.usefixtures("with_our_key")
class TestASignedResponse:
    """Its signature covers the ciphertext: what was put in place of that is not believed."""

    @pytest.mark.parametrize("swap", SWAPS, ids=lambda swap: swap.__name__)
    def test_with_something_else_in_it_is_refused(
        self,
        student: Student,
        universities: dict[str, University],
        our_keys: KeyPair,
        swap: Callable[[etree._Element, University, University, KeyPair], None],
    ) -> None:
        uni_a = universities["uni-a"]
        root = uni_a.sign(encrypted(uni_a.signed(uni_a.says(student.start())), our_keys))
        swap(root, uni_a, universities["stranger"], our_keys)

        page = student.come_back(encode(root)).content.decode()

        assert refusal_on(page) == SWAPS[swap]
        assert student.username == ""

    @pytest.mark.parametrize("inside", [False, True], ids=["beside the data", "inside the key"])
    def test_whose_signature_stands_in_the_envelope_is_refused(
        self, student: Student, uni_a: University, our_keys: KeyPair, inside: bool
    ) -> None:
        root = uni_a.sign(encrypted(uni_a.signed(uni_a.says(student.start())), our_keys))
        place = root.find(f".//{XENC}EncryptedKey" if inside else f"{SAML}EncryptedAssertion")
        place.append(root.find(f"{DS}Signature"))

        assert 400 <= student.come_back(encode(root)).status_code < 500
        assert student.username == ""

    def test_with_the_id_of_its_assertion_is_refused(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        statement = uni_a.says(student.start(), response_id="_same", assertion_id="_same")
        # The document can't be signed with one ID twice: the assertion is signed alone, then the response around it.
        assertion = etree.fromstring(statement.xml()).find(f"{SAML}Assertion")
        alone = uni_a.sign(etree.fromstring(etree.tostring(assertion)))
        root = etree.fromstring(statement.xml())
        root.replace(root.find(f"{SAML}Assertion"), envelope_of(alone, our_keys))

        page = student.come_back(encode(uni_a.sign(etree.fromstring(etree.tostring(root))))).content.decode()

        assert refusal_on(page) == SignOnRefusal.SIGNATURE_WRONG

    def test_signed_before_its_assertion_was_encrypted_is_refused(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        """The order that SAML demands is the other one; what was signed is not what came."""
        root = encrypted(uni_a.sign(uni_a.signed(uni_a.says(student.start()))), our_keys)

        assert refusal_on(student.come_back(encode(root)).content.decode()) == SignOnRefusal.SIGNATURE_WRONG

    def test_may_lose_its_signature_as_long_as_the_assertion_keeps_its_own(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        root = uni_a.sign(encrypted(uni_a.signed(uni_a.says(student.start())), our_keys))
        root.remove(root.find(f"{DS}Signature"))

        student.come_back(encode(root))

        assert student.username == "student1"


PLAIN_TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "two assertions": lambda signed: signed + signed.replace(b"student1", b"victim"),
    "a forged one first": lambda signed: signed.replace(b"student1", b"victim") + signed,
    "something beside it": lambda signed: signed + b"<saml:Issuer>https://idp.uni-a.example/saml</saml:Issuer>",
    "breaks out of the envelope": lambda signed: signed + b"</saml:EncryptedAssertion><saml:EncryptedAssertion>",
    "another envelope": lambda signed: b"<saml:EncryptedAssertion>" + signed + b"</saml:EncryptedAssertion>",
    "a document type": lambda signed: b"<!DOCTYPE a [<!ENTITY b 'victim'>]>" + signed,
    "an entity": lambda signed: signed.replace(b"student1", b"&victim;"),
    "not UTF-8": lambda signed: signed.replace(b"student1", b"\xff"),
    "not valid by the schema": lambda signed: signed.replace(b"</saml:Subject>", b"</saml:Subject><saml:Odd/>"),
    "cut off": lambda signed: signed[:-5],
    "nothing": lambda signed: b" ",  # the library encrypts no empty text by AES-GCM
    "text": lambda signed: b"student1",
}


@pytest.mark.usefixtures("with_our_key")
class TestThePlainText:
    @pytest.mark.parametrize("name", PLAIN_TEXTS)
    def test_must_be_one_assertion(self, student: Student, uni_a: University, our_keys: KeyPair, name: str) -> None:
        root = uni_a.signed(uni_a.says(student.start()))
        signed = root.find(f"{SAML}Assertion")
        root.replace(signed, envelope_of(PLAIN_TEXTS[name](etree.tostring(signed)), our_keys))

        page = student.come_back(encode(root)).content.decode()

        assert refusal_on(page) == SignOnRefusal.RESPONSE_UNREADABLE
        assert student.username == ""

    def test_keeps_its_prefixes_if_the_response_has_others(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        """A signature covers prefixes, and libraries like to change them in what they move."""
        statement = uni_a.says(student.start())
        own = etree.tostring(etree.fromstring(statement.xml()).find(f"{SAML}Assertion"))
        own = own.replace(b"saml:", b"own:").replace(b"xmlns:saml=", b"xmlns:own=")
        root = etree.fromstring(statement.xml())
        root.replace(root.find(f"{SAML}Assertion"), envelope_of(uni_a.sign(etree.fromstring(own)), our_keys))

        student.come_back(encode(root))

        assert student.username == "student1"

    def test_may_use_what_the_envelope_declares(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        root = uni_a.signed(uni_a.says(student.start()))
        signed = root.find(f"{SAML}Assertion")
        bare = etree.tostring(signed).replace(f' xmlns:saml="{SAML[1:-1]}"'.encode(), b"")
        assert b"xmlns:saml=" not in bare
        root.replace(signed, envelope_of(bare, our_keys))

        student.come_back(encode(root))

        assert student.username == "student1"

    def test_may_come_without_a_type_but_not_with_another(
        self, student: Student, uni_a: University, our_keys: KeyPair
    ) -> None:
        for kind, username in ((f"{XENC[1:-1]}Content", ""), (None, "student1")):
            root = encrypted(uni_a.signed(uni_a.says(student.start())), our_keys)
            data = root.find(f".//{XENC}EncryptedData")
            if kind:
                data.set("Type", kind)
            else:
                del data.attrib["Type"]

            student.come_back(encode(root))

            assert student.username == username

    def test_may_be_meant_for_several_services(self, student: Student, uni_a: University, our_keys: KeyPair) -> None:
        """The key then comes several times, each encrypted to another service."""
        root = encrypted(uni_a.signed(uni_a.says(student.start())), our_keys, beside=True)
        stranger = encrypted(uni_a.signed(uni_a.says("_other")), uni_a.keys, beside=True)
        key = root.find(f".//{XENC}EncryptedKey")
        other = stranger.find(f".//{XENC}EncryptedKey")
        other.set("Id", "_other_key")
        key.addprevious(other)

        student.come_back(encode(root))

        assert student.username == "student1"
