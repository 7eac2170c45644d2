"""Access mails: to people whose access somebody else changed, and whose invitation is accepted."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _

from program_enrollments import api
from program_enrollments.data import Permission
from program_enrollments.failures import describe_failure
from program_enrollments.pages.frames import Frame

logger = logging.getLogger(__name__)
TEMPLATE = "program_enrollments/pages/access_changed.txt"
ACCEPTED_TEMPLATE = "program_enrollments/pages/invitation_accepted.txt"


def mail_access_change(
    request: HttpRequest,
    *,
    user_id: int,
    school: api.School,
    program: api.Program | None = None,
    given: Collection[str] = (),
    taken: Collection[str] = (),
) -> bool:
    """Tell a person what they may do now, or no longer; return whether a mail was sent.

    It goes to the account's confirmed address, and names nobody. People who change their own access get none. A mail
    that cannot be sent is logged: the change stands.
    """
    if user_id == request.user.pk or not (given or taken):
        return False
    context = {
        "school": school,
        "program": program,
        "given": _labels(given),
        "taken": _labels(taken),
        "contact": Frame("", school).contact,
        "url": _url(request, "console:home"),
    }
    subject = _("Your access to programs of %(school)s has changed") % {"school": school.name}
    try:
        address = api.fetch_confirmed_address(user_id=user_id)
        if not address:
            return False
        text = render_to_string(TEMPLATE, context)
        send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [address])
    except Exception as error:  # noqa: BLE001  (mail servers and hosts fail in many ways; the access is changed already)
        logger.error("A change of access could not be mailed: %s.", describe_failure(error))
        return False
    return True


def mail_acceptance(request: HttpRequest, *, invitation: api.Invitation) -> None:
    """Mail who invited somebody that the invitation is accepted, once that is committed.

    The mail goes to their confirmed address. It names the invited address, and nothing of the account that accepted it.
    A mail that cannot be sent is logged: the acceptance stands.
    """
    api.after_commit(lambda: _mail_acceptance(request, invitation))


def _mail_acceptance(request: HttpRequest, invitation: api.Invitation) -> None:
    school = invitation.school
    try:
        recipient = api.find_recipient(school=school, user_id=invitation.invited_by_id)
        if recipient is None or invitation.invited_by_id == request.user.pk:
            return
        # The request has the language of who accepted.
        with translation.override(recipient.language):
            context = {"invitation": invitation, "url": _url(request, "console:people", school.key)}
            subject = _("Your invitation to %(school)s is accepted") % {"school": school.name}
            text = render_to_string(ACCEPTED_TEMPLATE, context)
        send_mail(" ".join(subject.split()), text, settings.DEFAULT_FROM_EMAIL, [recipient.address])
    except Exception as error:  # noqa: BLE001  (mail servers and hosts fail in many ways; the access is given already)
        logger.error("An accepted invitation could not be mailed: %s.", describe_failure(error))


def _labels(permissions: Collection[str]) -> list[str]:
    """Return permissions in words, in their order."""
    return [str(permission.label) for permission in Permission if permission.value in permissions]


def _url(request: HttpRequest, name: str, *args: str) -> str:
    """Return where a page of the console is, "" on a host without one."""
    try:
        return request.build_absolute_uri(reverse(name, args=args))
    except NoReverseMatch:
        return ""
