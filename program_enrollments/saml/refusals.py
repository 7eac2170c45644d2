"""Refusals of a sign-on: the page for the person, and one line in the log.

The page and the line share a reference number. Neither names anybody, and neither contains data from the request.
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from program_enrollments import api
from program_enrollments.data import SignOnRefusal
from program_enrollments.exceptions import SignOnRefused
from program_enrollments.pages.branding import branding_of
from program_enrollments.pages.headers import protect
from program_enrollments.saml.configuration import contact_of, get_sign_on_settings

logger = logging.getLogger(__name__)

Text = str | Promise
AGAIN = _("Start again from your university's sign-in page. If this happens again, write to support.")
UNIVERSITY = _("You cannot change this yourself. Write to support, who will settle it with your university.")


class Explanation(NamedTuple):
    """A refusal: its HTTP status, and the advice for the person and for support staff."""

    status: HTTPStatus
    person: Text
    support: Text


EXPLANATIONS: dict[SignOnRefusal, Explanation] = {
    SignOnRefusal.PROVIDER_UNKNOWN: Explanation(
        HTTPStatus.NOT_FOUND,
        _("This address leads to no university's sign-in. Go to the list of universities and choose yours."),
        _(
            "No identity provider has this slug or entity ID, or no school this key. Compare the entity ID with the "
            "provider's metadata."
        ),
    ),
    SignOnRefusal.PROVIDER_DISABLED: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "Your university's sign-in is switched off. Choose another one of your university if there is one, or "
            "write to support."
        ),
        _("The identity provider is disabled in the admin. Enable it there if that is not meant."),
    ),
    SignOnRefusal.PROVIDER_INCOMPLETE: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _("The identity provider has no SAML configuration, only a slug. Import its metadata in the admin."),
    ),
    SignOnRefusal.CERTIFICATES_UNUSABLE: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The identity provider's stored signing certificates cannot be read, or one has a key that is too weak. "
            "Import its metadata in the admin."
        ),
    ),
    SignOnRefusal.PROVIDER_TEST_ONLY: Explanation(
        HTTPStatus.FORBIDDEN,
        _("Your university's sign-in is being tested and is not open yet. Try again later, or write to support."),
        _(
            "The identity provider is for tests only, or its school is for practice. Once the test sign-on shows what "
            "it should, switch Test only off in the admin."
        ),
    ),
    SignOnRefusal.PROVIDER_MISSING: Explanation(
        HTTPStatus.NOT_FOUND,
        _("Your university has not set up its sign-in here yet. If you expected it, write to support."),
        _("The school has no identity provider. Add one by its metadata in the admin."),
    ),
    SignOnRefusal.RESPONSE_MISSING: Explanation(
        HTTPStatus.BAD_REQUEST,
        _("This page is only for coming back from your university. Go to the list of universities and choose yours."),
        _("Nothing was posted to the assertion consumer service. A bookmark of this page does this, too."),
    ),
    SignOnRefusal.RESPONSE_UNREADABLE: Explanation(
        HTTPStatus.BAD_REQUEST,
        AGAIN,
        _(
            "The response is not valid SAML 2.0, has a document type declaration, holds not exactly one "
            "assertion, or is encrypted in a "
            "way that is not supported."
        ),
    ),
    SignOnRefusal.RESPONSE_TOO_LARGE: Explanation(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        UNIVERSITY,
        _(
            "The response is larger than any reasonable one. Ask the university to release only the attributes "
            "that are needed."
        ),
    ),
    SignOnRefusal.DECLINED: Explanation(
        HTTPStatus.FORBIDDEN,
        _("Your university did not sign you in. If you did not cancel yourself, ask your university's help desk."),
        _("The response's status is not Success. The university's own log has the reason."),
    ),
    SignOnRefusal.UNSIGNED: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _("The assertion carries no signature of its own. Ask the university to sign assertions, not only responses."),
    ),
    SignOnRefusal.SIGNATURE_WRONG: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "A signature fits none of the configured certificates, or covers something else than it should. If "
            "the university has changed "
            "its key, import its new metadata. If it has not, take this as an attempted attack."
        ),
    ),
    SignOnRefusal.ENCRYPTION_WEAK: Explanation(
        HTTPStatus.BAD_REQUEST,
        AGAIN,
        _(
            "The assertion cannot be decrypted, is not rightly signed, or answers no request; the log has which. This "
            "page does not tell, because the university encrypts by a cipher (AES-CBC or 3DES) whose text anybody can "
            "change and learn from the answers. Ask the university to encrypt by AES-GCM."
        ),
    ),
    SignOnRefusal.ALGORITHM_WEAK: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The signature uses SHA-1 or another algorithm that is not accepted. Ask the university to sign with "
            "SHA-256."
        ),
    ),
    SignOnRefusal.ISSUER_WRONG: Explanation(
        HTTPStatus.FORBIDDEN,
        AGAIN,
        _(
            "The issuer is not the identity provider that was asked. Compare the entity ID with the provider's "
            "metadata."
        ),
    ),
    SignOnRefusal.AUDIENCE_WRONG: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The assertion is meant for another service. Compare the entity ID in our metadata with the one at "
            "the university."
        ),
    ),
    SignOnRefusal.DESTINATION_WRONG: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "Destination or recipient is not our assertion consumer service. Compare its address in our metadata,"
            " http or https included, "
            "with the one at the university."
        ),
    ),
    SignOnRefusal.CONDITIONS_MISSING: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The response lacks an audience, a destination, a recipient, an end of validity or the statement of "
            "when the person signed in."
        ),
    ),
    SignOnRefusal.EXPIRED: Explanation(
        HTTPStatus.FORBIDDEN,
        AGAIN,
        _("The assertion has expired. If it keeps happening, compare the university's clock with ours."),
    ),
    SignOnRefusal.NOT_YET_VALID: Explanation(
        HTTPStatus.FORBIDDEN,
        AGAIN,
        _("The assertion is not valid yet. Compare the university's clock with ours."),
    ),
    SignOnRefusal.REPLAYED: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "This sign-in was used before, for example because the page was loaded again. Start again from your "
            "university's sign-in page."
        ),
        _("An assertion came a second time. Once in a while that is the back button; many of them are an attack."),
    ),
    SignOnRefusal.REQUEST_UNKNOWN: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "This browser did not ask for this sign-in, or more than an hour ago. Start again from your "
            "university's sign-in page, and "
            "allow cookies for this site."
        ),
        _(
            "The response answers no pending request of this browser. Cookies may be blocked, or another browser "
            "had started."
        ),
    ),
    SignOnRefusal.UNASKED: Explanation(
        HTTPStatus.FORBIDDEN,
        _("Start here, not at your university's portal: choose your university in the list and sign in."),
        _(
            "The response answers no request, and the identity provider may not start sign-ons. Allow it in the "
            "admin if the university's "
            "portal is to lead here."
        ),
    ),
    SignOnRefusal.ID_MISSING: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The attribute of the permanent ID was not sent. Ask the university to release it to us; its name is "
            "in the admin."
        ),
    ),
    SignOnRefusal.ID_AMBIGUOUS: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _(
            "The attribute of the permanent ID has several values, or one that is not plain text. Ask the "
            "university to send one."
        ),
    ),
    SignOnRefusal.ID_UNUSABLE: Explanation(
        HTTPStatus.FORBIDDEN,
        UNIVERSITY,
        _("The permanent ID is too long, or has control characters. Choose another attribute with the university."),
    ),
    SignOnRefusal.ACCOUNT_INACTIVE: Explanation(
        HTTPStatus.FORBIDDEN,
        _("Your account here is switched off. Write to support to have it switched on again."),
        _("The account is inactive. Look at its history before you activate it."),
    ),
    SignOnRefusal.ACCOUNT_PRIVILEGED: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "Your account here has rights beyond your university, so it is not opened through your university. Sign in "
            "with your password, or write to support."
        ),
        _(
            "The account is staff, superuser or has grants at another school. Give those rights to an account of its "
            "own, or set SIGN_ON_TO_PRIVILEGED_ACCOUNTS."
        ),
    ),
    SignOnRefusal.ACCOUNT_GONE: Explanation(
        HTTPStatus.CONFLICT,
        _("Your account here was being deleted while you signed in. If you want a new one, sign in again in a minute."),
        _("Somebody deleted the account during the sign-on. The next sign-on makes a new one."),
    ),
    SignOnRefusal.ID_IN_QUESTION: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "Your university sent your student ID with another e-mail address than before. Until support has found out "
            "whether the ID is still yours, nobody can sign in with it. Write to support."
        ),
        _(
            "The learner's page in the admin says what the school sent. Release the student ID if it was given to "
            "somebody else, or settle the question if it is the same person."
        ),
    ),
    SignOnRefusal.HOST_UNAVAILABLE: Explanation(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The learning platform could not look for your account just now. Sign in again in a few minutes."),
        _("The host adapter failed or took too long. The log has the kind of failure."),
    ),
    SignOnRefusal.IDENTITY_CLASH: Explanation(
        HTTPStatus.CONFLICT,
        _("Your account cannot be told from another one. Write to support; trying again will not help."),
        _(
            "Two accounts carry this identity, or the database takes two different IDs for one: see the section "
            "on collations in the "
            "single sign-on guide."
        ),
    ),
    SignOnRefusal.EMAIL_NEEDED: Explanation(
        HTTPStatus.CONFLICT,
        _(
            "Accounts here are named by an e-mail address. Your university sent none, or one that another account has. "
            "If that account is yours, sign in again and connect it. Otherwise write to support."
        ),
        _(
            "The host's user model has an e-mail address as the username. Ask the university to release the address, "
            "or find the account that has it."
        ),
    ),
    SignOnRefusal.CONNECTION_EXPIRED: Explanation(
        HTTPStatus.FORBIDDEN,
        _(
            "Nothing waits to be connected in this browser, or it waited too long. Sign in through your "
            "university again."
        ),
        _(
            "The person took longer than ten minutes between the university's sign-in and their own, or used "
            "another browser."
        ),
    ),
}


def explain(error: SignOnRefused) -> Explanation:
    """Return the explanation of a refusal."""
    return EXPLANATIONS[SignOnRefusal(error.code)]


def refuse(request: HttpRequest, error: SignOnRefused, *, school: api.School | None = None) -> HttpResponse:
    """Log a refusal in one line, and return the page with its explanation.

    With `school`, it is the page of that school, through which nobody can sign on now.
    """
    reference = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
    logger.warning(
        "Sign-on refused: %s, identity provider %s, reference %s.",
        f"{error.code} ({error.logged})" if error.logged else error.code,
        error.slug or "unknown",
        reference,
    )
    explanation = explain(error)
    branding = branding_of(school) if school is not None else None
    nonce = secrets.token_urlsafe(16) if branding is not None else ""
    context = {
        "code": error.code,
        "person": explanation.person,
        "support": explanation.support,
        "reference": reference,
        "school": school,
        "branding": branding,
        "nonce": nonce,
        "contact": contact_of(school) if school is not None else get_sign_on_settings().SUPPORT_CONTACT,
    }
    page = render(request, "program_enrollments/saml/refused.html", context, status=explanation.status)
    return protect(page, nonce=nonce, image_url=branding.logo_url if branding is not None else "")
