"""One university's identity provider: pysaml2, configured."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.s_utils import UnknownSystemEntity, UnravelError, UnsupportedBinding
from saml2.saml import NAME_FORMAT_URI, NAMEID_FORMAT_TRANSIENT
from saml2.server import Server
from saml2.sigver import SAMLError
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

from demo_lms.idp.keys import KeyPair
from demo_lms.idp.people import Student, University
from demo_lms.idp.signing import LibraryCrypto

AUTHN = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "authn_auth": ""}
MINUTES_VALID = 5


class RequestRefusedError(Exception):
    """A request cannot be answered: unreadable, or from a service that the university does not know."""


@dataclass(frozen=True, slots=True)
class SignedResponse:
    """A signed response, in Base64, and where the browser posts it."""

    destination: str
    encoded: str


class IdentityProvider:
    """A university's identity provider, for one service. Its pages are below `base_url`, given without a last slash."""

    def __init__(self, *, university: University, keys: KeyPair, base_url: str, sp_metadata: str) -> None:
        self.university = university
        self.base_url = base_url
        self._config = IdPConfig().load(_configuration(university, keys, base_url, sp_metadata))
        self._server = Server(config=self._config)
        self._server.sec.crypto = LibraryCrypto()

    def metadata(self) -> str:
        """Return the provider's metadata, as XML."""
        return str(entity_descriptor(self._config))

    def answer(self, *, saml_request: str, student: Student) -> SignedResponse:
        """Return the answer to a service's request (as in its query string). Raises RequestRefusedError."""
        try:
            request = self._server.parse_authn_request(saml_request, BINDING_HTTP_REDIRECT).message
            arguments = self._server.response_args(request)
        except (SAMLError, UnknownSystemEntity, UnravelError, UnsupportedBinding, AttributeError, ValueError) as error:
            raise RequestRefusedError from error
        return self._respond(student, arguments["destination"], arguments["sp_entity_id"], arguments["in_response_to"])

    def volunteer(self, *, student: Student) -> SignedResponse:
        """Return a response that no service has asked for, as the university's portal sends it."""
        (sp_entity_id,) = self._server.metadata.with_descriptor("spsso")
        (service, *_others) = self._server.metadata.assertion_consumer_service(sp_entity_id, BINDING_HTTP_POST)
        return self._respond(student, service["location"], sp_entity_id, "")

    def _respond(self, student: Student, destination: str, sp_entity_id: str, in_response_to: str) -> SignedResponse:
        response = self._server.create_authn_response(
            identity={
                "uid": student.username,
                "mail": student.email,
                "givenName": student.given_name,
                "sn": student.family_name,
            },
            in_response_to=in_response_to or None,
            destination=destination,
            sp_entity_id=sp_entity_id,
            userid=student.username,
            name_id_policy=None,
            authn=AUTHN,
            sign_response=False,
            sign_assertion=True,
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
        )
        return SignedResponse(destination, base64.b64encode(str(response).encode()).decode("ascii"))


def _configuration(university: University, keys: KeyPair, base_url: str, sp_metadata: str) -> dict[str, Any]:
    return {
        "entityid": university.entity_id,
        "service": {
            "idp": {
                "name": university.name,
                "endpoints": {"single_sign_on_service": [(f"{base_url}/sso", BINDING_HTTP_REDIRECT)]},
                "name_id_format": [NAMEID_FORMAT_TRANSIENT],
                "policy": {"default": {"lifetime": {"minutes": MINUTES_VALID}, "name_form": NAME_FORMAT_URI}},
                "ui_info": {"display_name": {"lang": "en", "text": university.name}},
            }
        },
        "key_file": str(keys.key),
        "cert_file": str(keys.certificate),
        "metadata": {"inline": [sp_metadata]},
        # Any but xmlsec1, which need not be there: replaced by `LibraryCrypto` as soon as the server is made.
        "crypto_backend": "XMLSecurity",
    }
