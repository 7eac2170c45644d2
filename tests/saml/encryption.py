"""Encryption: puts anything into an envelope that only the owner of a key can open."""

from __future__ import annotations

import xmlsec
from lxml import etree

from demo_lms.idp.keys import KeyPair
from program_enrollments.saml.documents import SAML, XENC
from program_enrollments.xml_security import DS

RETRIEVED = "http://www.w3.org/2001/04/xmlenc#EncryptedKey"


def encrypted(
    root: etree._Element,
    keys: KeyPair,
    *,
    transport: str = "RSA_OAEP",
    cipher: str = "AES256_GCM",
    beside: bool = False,
    number: int = 0,
) -> etree._Element:
    """Return the response with an assertion, by default its first one, in an envelope."""
    assertion = root.findall(f"{SAML}Assertion")[number]
    data, context = _prepared(root, keys, transport, cipher)
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
        etree.SubElement(info, f"{DS}RetrievalMethod", URI="#_key", Type=RETRIEVED)
    return root


def envelope_of(plain: str | bytes | etree._Element, keys: KeyPair) -> etree._Element:
    """Return an envelope with any text in it, well-formed or not."""
    text = etree.tostring(plain) if etree.iselement(plain) else plain.encode() if isinstance(plain, str) else plain
    envelope = etree.Element(f"{SAML}EncryptedAssertion", nsmap={"saml": SAML[1:-1]})
    data, context = _prepared(envelope, keys, "RSA_OAEP", "AES256_GCM")
    envelope.append(context.encrypt_binary(data, text))
    return etree.fromstring(etree.tostring(envelope))


def _prepared(
    parent: etree._Element, keys: KeyPair, transport: str, cipher: str
) -> tuple[etree._Element, xmlsec.EncryptionContext]:
    data = xmlsec.template.encrypted_data_create(
        parent, getattr(xmlsec.Transform, cipher), type=xmlsec.EncryptionType.ELEMENT, ns="xenc"
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
    return data, context
