"""A university whose responses pysaml2 makes: signed and encrypted as the library does it."""

from __future__ import annotations

import base64
from pathlib import Path

import xmlsec
from lxml import etree
from saml2.config import IdPConfig
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_TRANSIENT
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from demo_lms.idp.keys import KeyPair
from demo_lms.idp.signing import LibraryCrypto
from tests.saml.university import ACS, AUDIENCE, University

AUTHN = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "authn_auth": ""}


class EncryptingCrypto(LibraryCrypto):
    """Also encrypts, which the demo's identity providers never do."""

    def encrypt_assertion(
        self,
        statement: object,
        enc_key: str,
        template: object,
        key_type: str = "des-192",
        node_xpath: str | None = None,
        node_id: str | None = None,
    ) -> str:
        """Return `statement` with its assertion encrypted to the certificate in the file `enc_key`."""
        root = etree.fromstring(str(statement).encode())
        (assertion,) = root.xpath(node_xpath or "/*/*[local-name()='EncryptedAssertion']/*[local-name()='Assertion']")
        assertion.addnext(data := etree.fromstring(str(template).encode()))
        manager = xmlsec.KeysManager()
        manager.add_key(xmlsec.Key.from_file(enc_key, xmlsec.KeyFormat.CERT_PEM))
        context = xmlsec.EncryptionContext(manager)
        context.key = xmlsec.Key.generate(xmlsec.KeyData.DES, 192, xmlsec.KeyDataType.SESSION)
        data.getparent().remove(data)
        encrypted = context.encrypt_xml(data, assertion)
        return str(etree.tostring(encrypted.getroottree().getroot(), encoding="unicode"))


def pysaml2_response(
    university: University,
    service_certificate: Path,
    request_id: str,
    *,
    sign_response: bool,
    sign_assertion: bool,
    encrypt: bool,
) -> str:
    """Return a response, in Base64, that names student1; encrypted to the service's certificate if asked."""
    server = Server(config=IdPConfig().load(_configuration(university.entity_id, university.keys)))
    server.sec.crypto = EncryptingCrypto()
    body = "".join(service_certificate.read_text(encoding="ascii").strip().splitlines()[1:-1])
    response = server.create_authn_response(
        identity={"uid": "student1"},
        in_response_to=request_id,
        destination=ACS,
        sp_entity_id=AUDIENCE,
        userid="student1",
        name_id_policy=None,
        authn=AUTHN,
        sign_response=sign_response,
        sign_assertion=sign_assertion,
        encrypt_assertion=encrypt,
        encrypt_cert_assertion=body if encrypt else None,
        sign_alg=SIG_RSA_SHA256,
        digest_alg=DIGEST_SHA256,
    )
    return base64.b64encode(str(response).encode()).decode("ascii")


def _configuration(entity_id: str, keys: KeyPair) -> dict[str, object]:
    service = (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{AUDIENCE}">'
        '<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" '
        f'Location="{ACS}" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>'
    )
    return {
        "entityid": entity_id,
        "service": {
            "idp": {
                "endpoints": {"single_sign_on_service": []},
                "name_id_format": [NAMEID_FORMAT_TRANSIENT],
                "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": NAME_FORMAT_URI}},
            }
        },
        "key_file": str(keys.key),
        "cert_file": str(keys.certificate),
        "metadata": {"inline": [service]},
        # Any but xmlsec1, which need not be there: replaced as soon as the server is made.
        "crypto_backend": "XMLSecurity",
    }
