"""Assertions: checks of audience, request and time limits, and the asserted attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree

from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.saml.documents import SAML, ResponseDocument, plain_text, refusing_alike
from program_enrollments.saml.signatures import verified_assertion

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

Attributes = Mapping[str, Sequence[str | None]]
"""Trimmed values by attribute name, in the order of the assertion. None is a value that isn't plain text."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The values that an assertion has to match.

    `request_id` is empty if no request was sent. Times are compared with a tolerance of `skew`.
    """

    issuer: str
    certificates: Sequence[str]
    acs_url: str
    audience: str
    request_id: str
    now: datetime
    skew: timedelta


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified assertion of an identity provider.

    `expires_at` is the time after which it is refused, including the clock skew. `friendly_names` are the provider's
    names of attributes for people; they decide nothing.
    """

    assertion_id: str
    expires_at: datetime
    attributes: Attributes
    friendly_names: Mapping[str, str]


def read_assertion(document: ResponseDocument, *, expected: Expectation) -> Assertion:
    """Check a response's assertion and return its contents.

    Audience, destination, recipient and the ends of validity are required: an assertion without one of them is
    refused. Raises SignOnRefused.
    """
    with refusing_alike(is_malleable=document.is_malleable):
        root, assertion = document.sent, verified_assertion(document, certificates=expected.certificates)
    issuers = [*root.findall(f"{SAML}Issuer"), *assertion.findall(f"{SAML}Issuer")]
    if assertion.find(f"{SAML}Issuer") is None or any(plain_text(issuer) != expected.issuer for issuer in issuers):
        raise SignOnRefused(SignOnRefusal.ISSUER_WRONG)
    _check_destination(root.get("Destination"), expected)
    _check_request(root.get("InResponseTo"), expected)
    conditions_end = _check_conditions(assertion, expected)
    confirmation_end = _check_subject(assertion, expected)
    _check_session(assertion, expected)
    return Assertion(
        assertion_id=assertion.get("ID") or "",
        expires_at=min(conditions_end, confirmation_end) + expected.skew,
        attributes=_attributes(assertion),
        friendly_names=_friendly_names(assertion),
    )


def _check_destination(stated: str | None, expected: Expectation) -> None:
    if not stated:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    if stated.strip() != expected.acs_url:
        raise SignOnRefused(SignOnRefusal.DESTINATION_WRONG)


def _check_request(stated: str | None, expected: Expectation) -> None:
    """Refuse a response that names another request. It may leave out the request's ID.

    The assertion itself has to repeat it, see `_check_confirmation`.
    """
    if stated is not None and stated != expected.request_id:
        raise SignOnRefused(SignOnRefusal.REQUEST_UNKNOWN)


def _check_conditions(assertion: etree._Element, expected: Expectation) -> datetime:
    """Return when the assertion stops being valid."""
    conditions = assertion.findall(f"{SAML}Conditions")
    if len(conditions) != 1:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    end = _check_times(conditions[0], expected)
    restrictions = conditions[0].findall(f"{SAML}AudienceRestriction")
    if not restrictions:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    for restriction in restrictions:
        audiences = [plain_text(audience) for audience in restriction.findall(f"{SAML}Audience")]
        if expected.audience not in audiences:
            raise SignOnRefused(SignOnRefusal.AUDIENCE_WRONG)
    return end


def _check_subject(assertion: etree._Element, expected: Expectation) -> datetime:
    """Return when the bearer confirmation expires. At least one SubjectConfirmation must pass every check."""
    refused = SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    for confirmation in assertion.findall(f"{SAML}Subject/{SAML}SubjectConfirmation"):
        data = confirmation.find(f"{SAML}SubjectConfirmationData")
        if confirmation.get("Method") == BEARER and data is not None:
            try:
                return _check_confirmation(data, expected)
            except SignOnRefused as error:
                refused = error
    raise refused


def _check_confirmation(data: etree._Element, expected: Expectation) -> datetime:
    recipient = data.get("Recipient")
    if not recipient:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    if recipient.strip() != expected.acs_url:
        raise SignOnRefused(SignOnRefusal.DESTINATION_WRONG)
    if (data.get("InResponseTo") or "") != expected.request_id:
        raise SignOnRefused(SignOnRefusal.REQUEST_UNKNOWN)
    return _check_times(data, expected)


def _check_session(assertion: etree._Element, expected: Expectation) -> None:
    statements = assertion.findall(f"{SAML}AuthnStatement")
    if not statements:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    for statement in statements:
        end = _moment(statement.get("SessionNotOnOrAfter"))
        if end is not None and end + expected.skew <= expected.now:
            raise SignOnRefused(SignOnRefusal.EXPIRED)


def _check_times(element: etree._Element, expected: Expectation) -> datetime:
    """Check an element's time limits and return the end, which is required."""
    start, end = _moment(element.get("NotBefore")), _moment(element.get("NotOnOrAfter"))
    if end is None:
        raise SignOnRefused(SignOnRefusal.CONDITIONS_MISSING)
    if start is not None and start - expected.skew > expected.now:
        raise SignOnRefused(SignOnRefusal.NOT_YET_VALID)
    if end + expected.skew <= expected.now:
        raise SignOnRefused(SignOnRefusal.EXPIRED)
    return end


def _moment(text: str | None) -> datetime | None:
    """Parse a SAML time, which is UTC even without an offset. Years outside of 1970 to 8999 are refused."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE) from None
    if not 1970 <= moment.year < 9000:
        raise SignOnRefused(SignOnRefusal.RESPONSE_UNREADABLE)
    return moment


def _attributes(assertion: etree._Element) -> Attributes:
    """Return all attributes. An attribute that occurs twice has the values of both."""
    attributes: dict[str, list[str | None]] = {}
    for attribute in assertion.findall(f"{SAML}AttributeStatement/{SAML}Attribute"):
        values = [plain_text(value) for value in attribute.findall(f"{SAML}AttributeValue")]
        attributes.setdefault(attribute.get("Name") or "", []).extend(values)
    return attributes


def _friendly_names(assertion: etree._Element) -> dict[str, str]:
    attributes = assertion.findall(f"{SAML}AttributeStatement/{SAML}Attribute")
    return {
        attribute.get("Name") or "": " ".join(attribute.get("FriendlyName").split())
        for attribute in attributes
        if attribute.get("FriendlyName")
    }
