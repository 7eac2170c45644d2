"""Signature wrapping: the signed assertion is there, but another one is put where it might be read instead."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from django.contrib.auth.models import User
from lxml import etree
from social_django.models import UserSocialAuth

from demo_lms.idp.keys import KeyPair
from program_enrollments.saml.documents import SAML, SAMLP
from program_enrollments.xml_security import DS
from tests.saml.encryption import encrypted
from tests.saml.student import Student
from tests.saml.university import University, encode, signature_of

VICTIM = "victim"
# Whether a document is believed is decided before the database is asked.
pytestmark = pytest.mark.once


def forged(assertion: etree._Element, *, assertion_id: str | None = None, signature: bool = False) -> etree._Element:
    """Return a copy of the assertion that names the victim."""
    copy = deepcopy(assertion)
    copy.find(f".//{SAML}AttributeValue").text = VICTIM
    copy.set("ID", assertion_id or "_forged")
    if not signature:
        copy.remove(signature_of(copy))
    return copy


def forged_before(root: etree._Element, signed: etree._Element) -> None:
    signed.addprevious(forged(signed))


def forged_behind(root: etree._Element, signed: etree._Element) -> None:
    signed.addnext(forged(signed))


def forged_with_the_same_id_before(root: etree._Element, signed: etree._Element) -> None:
    signed.addprevious(forged(signed, assertion_id=signed.get("ID")))


def forged_with_the_same_id_behind(root: etree._Element, signed: etree._Element) -> None:
    signed.addnext(forged(signed, assertion_id=signed.get("ID")))


def signed_inside_the_signature_of_the_forged(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed, signature=True)
    root.replace(signed, fake)
    etree.SubElement(signature_of(fake), f"{DS}Object").append(signed)


def signed_beside_its_signature_in_the_forged(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed)
    signature = signature_of(signed)
    root.replace(signed, fake)
    fake.find(f"{SAML}Issuer").addnext(signature)
    etree.SubElement(signature, f"{DS}Object").append(signed)


def signed_in_the_extensions(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed)
    root.replace(signed, fake)
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(signed)
    root.find(f"{SAMLP}Status").addprevious(extensions)


def signed_in_the_advice_of_the_forged(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed)
    root.replace(signed, fake)
    advice = etree.Element(f"{SAML}Advice")
    advice.append(signed)
    fake.find(f"{SAML}Conditions").addnext(advice)


def forged_in_the_advice_of_the_signed(root: etree._Element, signed: etree._Element) -> None:
    advice = etree.Element(f"{SAML}Advice")
    advice.append(forged(signed))
    signed.find(f"{SAML}Conditions").addnext(advice)


def signed_in_the_subject_of_the_forged(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed)
    root.replace(signed, fake)
    fake.find(f".//{SAML}SubjectConfirmationData").append(signed)


def response_in_a_response(root: etree._Element, signed: etree._Element) -> None:
    inner = deepcopy(root)
    inner.set("ID", "_inner")
    root.replace(signed, forged(signed))
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(inner)
    root.find(f"{SAMLP}Status").addprevious(extensions)


def forged_carries_the_signature_of_the_signed(root: etree._Element, signed: etree._Element) -> None:
    fake = forged(signed)
    fake.find(f"{SAML}Issuer").addnext(deepcopy(signature_of(signed)))
    signed.remove(signature_of(signed))
    signed.addprevious(fake)


def signature_twice(root: etree._Element, signed: etree._Element) -> None:
    signature_of(signed).addnext(deepcopy(signature_of(signed)))


def signature_in_another_place(root: etree._Element, signed: etree._Element) -> None:
    signed.find(f"{SAML}AttributeStatement").append(signature_of(signed))


def two_references(root: etree._Element, signed: etree._Element) -> None:
    reference = signature_of(signed).find(f".//{DS}Reference")
    reference.addnext(deepcopy(reference))


def transform_that_takes_things_away(root: etree._Element, signed: etree._Element) -> None:
    transforms = signature_of(signed).find(f".//{DS}Transforms")
    transform = etree.SubElement(transforms, f"{DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(transform, f"{DS}XPath").text = "not(ancestor-or-self::saml:AttributeStatement)"


def id_under_another_name(root: etree._Element, signed: etree._Element) -> None:
    """An element with an attribute `Id` that some parsers take for the one referred to."""
    root.find(f"{SAMLP}Status").set("Id", signed.get("ID"))


def id_of_xml_itself(root: etree._Element, signed: etree._Element) -> None:
    """What XML's own `xml:id` names, libraries find without being told."""
    root.find(f"{SAMLP}Status/{SAMLP}StatusCode").set("{http://www.w3.org/XML/1998/namespace}id", signed.get("ID"))


def xml_id_on_an_attribute(root: etree._Element, signed: etree._Element) -> None:
    """One of the few places where SAML's schema allows it: inside what is signed, so that this breaks the signature."""
    signed.find(f".//{SAML}Attribute").set("{http://www.w3.org/XML/1998/namespace}id", signed.get("ID"))


def without_id(root: etree._Element, signed: etree._Element) -> None:
    del signed.attrib["ID"]


WRAPPINGS: list[Callable[[etree._Element, etree._Element], None]] = [
    forged_before,
    forged_behind,
    forged_with_the_same_id_before,
    forged_with_the_same_id_behind,
    signed_inside_the_signature_of_the_forged,
    signed_beside_its_signature_in_the_forged,
    signed_in_the_extensions,
    signed_in_the_advice_of_the_forged,
    forged_in_the_advice_of_the_signed,
    signed_in_the_subject_of_the_forged,
    response_in_a_response,
    forged_carries_the_signature_of_the_signed,
    signature_twice,
    signature_in_another_place,
    two_references,
    transform_that_takes_things_away,
    id_under_another_name,
    id_of_xml_itself,
    xml_id_on_an_attribute,
    without_id,
]


@pytest.mark.parametrize("also_signed", ["assertion", "response and assertion"])
@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
def test_nobody_is_signed_in(
    student: Student, uni_a: University, wrap: Callable[[etree._Element, etree._Element], None], also_signed: str
) -> None:
    root = uni_a.signed(uni_a.says(student.start()))
    if also_signed == "response and assertion":
        root = uni_a.sign(root)
    wrap(root, root.find(f"{SAML}Assertion"))

    response = student.come_back(encode(root))

    assert 400 <= response.status_code < 500
    assert student.username == ""
    assert not User.objects.exists()
    assert not UserSocialAuth.objects.exists()


@pytest.mark.usefixtures("with_our_key")
@pytest.mark.parametrize("number", [0, 1], ids=["first encrypted", "second encrypted"])
@pytest.mark.parametrize("also_signed", ["assertion", "response and assertion"])
@pytest.mark.parametrize("wrap", WRAPPINGS, ids=lambda wrap: wrap.__name__)
def test_nobody_is_signed_in_by_an_encrypted_one(
    student: Student,
    uni_a: University,
    our_keys: KeyPair,
    wrap: Callable[[etree._Element, etree._Element], None],
    also_signed: str,
    number: int,
) -> None:
    """Anybody can encrypt to our key, so that what was wrapped can be hidden, too."""
    root = uni_a.signed(uni_a.says(student.start()))
    if also_signed == "response and assertion":
        root = uni_a.sign(root)
    wrap(root, root.find(f"{SAML}Assertion"))
    assertions = root.findall(f"{SAML}Assertion")
    root = encrypted(root, our_keys, number=min(number, len(assertions) - 1))

    response = student.come_back(encode(root))

    assert 400 <= response.status_code < 500
    assert student.username == ""
    assert not User.objects.exists()
    assert not UserSocialAuth.objects.exists()


def test_a_comment_does_not_cut_an_id_short(student: Student, uni_a: University) -> None:
    """Canonicalization drops comments, so a signature stays whole when one is put into a value."""
    statement = uni_a.says(student.start(), attributes={"urn:oid:0.9.2342.19200300.100.1.1": ["admin.of.nothing"]})
    signed = etree.tostring(uni_a.signed(statement)).replace(b"admin.of.nothing", b"admin<!-- -->.of.nothing")

    response = student.come_back(encode(signed))

    assert response.status_code == 302
    assert UserSocialAuth.objects.get().uid == "uni-a:admin.of.nothing"


def test_a_response_signed_as_a_whole_beside_its_assertion_is_fine(student: Student, uni_a: University) -> None:
    root = uni_a.sign(uni_a.signed(uni_a.says(student.start())))

    assert student.come_back(encode(root)).status_code == 302
    assert student.username == "student1"
