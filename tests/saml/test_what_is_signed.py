"""Documents that are rightly signed by the university's own key, and yet not to be believed: nothing behind may catch
them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import xmlsec
from lxml import etree

from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml.assertions import Expectation, read_assertion
from program_enrollments.saml.documents import SAML, SAMLP, ResponseDocument
from program_enrollments.saml.signatures import verified_assertion
from tests.saml.university import ACS, AUDIENCE, University

EXCLUSIVE, ENVELOPED = xmlsec.Transform.EXCL_C14N, xmlsec.Transform.ENVELOPED
# Whether a document is believed is decided before the database is asked.
pytestmark = pytest.mark.once


def sign(university: University, root: etree._Element, *transforms: object, references: int = 1) -> etree._Element:
    """Sign the assertion of a response with these transforms, in so many references."""
    assertion = root.find(f"{SAML}Assertion")
    signature = xmlsec.template.create(assertion, EXCLUSIVE, xmlsec.Transform.RSA_SHA256, ns="ds")
    assertion.find(f"{SAML}Issuer").addnext(signature)
    for number in range(references):
        element = (assertion, root.find(f"{SAMLP}Status"))[number]
        reference = xmlsec.template.add_reference(
            signature, xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}" if element.get("ID") else ""
        )
        for transform in transforms:
            node = xmlsec.template.add_transform(reference, transform)
            if transform is xmlsec.Transform.XPATH:
                path = etree.SubElement(node, "{http://www.w3.org/2000/09/xmldsig#}XPath", nsmap={"saml": SAML[1:-1]})
                path.text = "not(ancestor-or-self::saml:AttributeStatement)"
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(university.keys.key), xmlsec.KeyFormat.PEM)
    context.sign(signature)
    return etree.fromstring(etree.tostring(root))


def unsigned(university: University) -> etree._Element:
    return etree.fromstring(university.says("_request").xml().encode())


def refusal(university: University, root: etree._Element) -> str:
    with pytest.raises(SignOnRefused) as refused:
        verified_assertion(ResponseDocument(root, root), certificates=[university.certificate])
    return refused.value.code


def test_the_plain_case_is_believed(uni_a: University) -> None:
    root = sign(uni_a, unsigned(uni_a), ENVELOPED, EXCLUSIVE)

    assert verified_assertion(ResponseDocument(root, root), certificates=[uni_a.certificate]).tag == f"{SAML}Assertion"


def test_a_transform_that_leaves_something_out(uni_a: University) -> None:
    """The signature holds whatever the attributes say."""
    root = sign(uni_a, unsigned(uni_a), ENVELOPED, xmlsec.Transform.XPATH, EXCLUSIVE)
    root.find(f".//{SAML}AttributeValue").text = "victim"

    assert refusal(uni_a, root) == SignOnRefusal.SIGNATURE_WRONG


def test_a_signature_that_covers_itself(uni_a: University) -> None:
    assert refusal(uni_a, sign(uni_a, unsigned(uni_a), ENVELOPED, ENVELOPED, EXCLUSIVE)) == (
        SignOnRefusal.SIGNATURE_WRONG
    )


def test_two_references(uni_a: University) -> None:
    root = sign(uni_a, unsigned(uni_a), ENVELOPED, EXCLUSIVE, references=2)

    assert refusal(uni_a, root) == SignOnRefusal.SIGNATURE_WRONG


@pytest.mark.parametrize("name", ["ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"])
def test_an_id_that_stands_twice(uni_a: University, name: str) -> None:
    root = sign(uni_a, unsigned(uni_a), ENVELOPED, EXCLUSIVE)
    root.find(f"{SAMLP}Status").set(name, root.find(f"{SAML}Assertion").get("ID"))

    assert refusal(uni_a, root) == SignOnRefusal.SIGNATURE_WRONG


def test_no_certificates_verify_nothing(uni_a: University) -> None:
    root = sign(uni_a, unsigned(uni_a), ENVELOPED, EXCLUSIVE)

    with pytest.raises(SignOnRefused):
        verified_assertion(ResponseDocument(root, root), certificates=[])


def test_a_response_that_names_another_request_than_its_assertion(uni_a: University) -> None:
    root = uni_a.signed(uni_a.says("_other", confirmed_request_id="_request"))
    expected = Expectation(
        issuer=uni_a.entity_id,
        certificates=[uni_a.certificate],
        acs_url=ACS,
        audience=AUDIENCE,
        request_id="_request",
        now=datetime.now(UTC),
        skew=timedelta(),
    )

    with pytest.raises(SignOnRefused) as refused:
        read_assertion(ResponseDocument(root, root), expected=expected)
    assert refused.value.code == SignOnRefusal.REQUEST_UNKNOWN
    root.set("InResponseTo", "_request")
    assert read_assertion(ResponseDocument(root, root), expected=expected).attributes
