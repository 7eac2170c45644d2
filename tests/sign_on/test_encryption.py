"""Assertions encrypted to this service's key, as some universities send them by default."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import xmlsec
from django.test import override_settings
from lxml import etree

from demo_lms.idp.keys import KeyPair, make_key_pair
from program_enrollments.sign_on.documents import DS, SAML, XENC
from tests.sign_on.student import Student
from tests.sign_on.university import AUDIENCE, University, encode

# Whether a document is believed is decided before the database is asked.
pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def our_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    folder: Path = tmp_path_factory.mktemp("service")
    keys = KeyPair(folder / "key.pem", folder / "certificate.pem")
    make_key_pair(pair=keys, name="service")
    return keys


@pytest.fixture
def with_our_key(our_keys: KeyPair) -> Iterator[None]:
    sign_on = {"ENTITY_ID": AUDIENCE, "PRIVATE_KEY": our_keys.key.read_text(encoding="ascii")}
    with override_settings(PROGRAM_ENROLLMENTS={"HOST": "demo_lms.host.DemoHost", "SIGN_ON": sign_on}):
        yield


def encrypted(
    root: etree._Element, keys: KeyPair, *, transport: str = "RSA_OAEP", cipher: str = "AES256", beside: bool = False
) -> etree._Element:
    """Put the assertion into an envelope that only the owner of the key can open."""
    assertion = root.find(f"{SAML}Assertion")
    data = xmlsec.template.encrypted_data_create(
        root, getattr(xmlsec.Transform, cipher), type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
    )
    xmlsec.template.encrypted_data_ensure_cipher_value(data)
    info = xmlsec.template.encrypted_data_ensure_key_info(data, ns="ds")
    key = xmlsec.template.add_encrypted_key(info, getattr(xmlsec.Transform, transport))
    xmlsec.template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_file(str(keys.certificate), xmlsec.KeyFormat.CERT_PEM))
    context = xmlsec.EncryptionContext(manager)
    kind, bits = (xmlsec.KeyData.AES, 256) if cipher.startswith("AES") else (xmlsec.KeyData.DES, 192)
    context.key = xmlsec.Key.generate(kind, bits, xmlsec.KeyDataType.SESSION)
    hidden = context.encrypt_xml(data, assertion)
    root = hidden.getroottree().getroot()
    envelope = etree.Element(f"{SAML}EncryptedAssertion")
    hidden.addprevious(envelope)
    envelope.append(hidden)
    root = etree.fromstring(etree.tostring(root))
    if beside:
        key = root.find(f".//{XENC}EncryptedKey")
        info = key.getparent()
        info.remove(key)
        key.set("Id", "_key")
        root.find(f"{SAML}EncryptedAssertion").append(key)
        etree.SubElement(
            info, f"{DS}RetrievalMethod", URI="#_key", Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey"
        )
    return root


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


def test_without_a_key_they_are_refused(student: Student, uni_a: University, our_keys: KeyPair) -> None:
    root = uni_a.signed(uni_a.says(student.start()))

    assert student.come_back(encode(encrypted(root, our_keys))).status_code == 400
