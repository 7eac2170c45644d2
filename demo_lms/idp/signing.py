"""Signing: lets pysaml2 sign with the `xmlsec` package, which comes as a wheel, instead of the program `xmlsec1`."""

from __future__ import annotations

import xmlsec
from lxml import etree
from saml2.sigver import CryptoBackend

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


class LibraryCrypto(CryptoBackend):
    """What an identity provider needs of a backend: to fill in the signature that pysaml2 has prepared."""

    @property
    def version(self) -> str:
        """The version of the library."""
        return str(xmlsec.__version__)

    def sign_statement(self, statement: object, node_name: str, key_file: str, node_id: str) -> str:
        """Return the XML `statement` with the element whose ID is `node_id` signed by the key in `key_file` (PEM)."""
        root = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        xmlsec.tree.add_ids(root, ["ID"])
        (signed,) = root.xpath("//*[@ID = $id]", id=node_id)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.KeyFormat.PEM)
        context.sign(signed.find(SIGNATURE))
        return str(etree.tostring(root, encoding="unicode"))
