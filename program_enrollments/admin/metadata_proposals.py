"""Proposed metadata of an identity provider: shown to staff, and approved or rejected with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from program_enrollments import api
from program_enrollments.admin.forms import ReasonForm
from program_enrollments.admin.large_tables import AnyModelAdmin
from program_enrollments.admin.pages import form_page_context
from program_enrollments.exceptions import DoesNotExist, MetadataUnusable
from program_enrollments.models import IdentityProvider

TEMPLATE = "admin/university_enrollments/identityprovider/proposed_metadata.html"


class DecisionForm(ReasonForm):
    """The reason why the change is approved or rejected."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = gettext_lazy(
            "Kept in this provider's history. Say with whom at the university you compared the fingerprints, and how."
        )


def warn_of_proposal(request: HttpRequest, provider: IdentityProvider) -> bool:
    """Return whether a change is proposed for the provider. Warn of one that waits for a decision."""
    try:
        proposal = api.get_metadata_proposal(identity_provider_id=provider.pk)
    except DoesNotExist:
        return False
    if proposal.rejected_at is None:
        messages.warning(
            request, _("The published metadata differs from what is stored. Open Proposed metadata, and decide.")
        )
    return True


def decide_metadata(request: HttpRequest, *, model_admin: AnyModelAdmin, pk: int) -> HttpResponse:
    """Show the proposed change beside the present values. On POST, approve or reject it."""
    provider = get_object_or_404(IdentityProvider, pk=pk)
    if not model_admin.has_change_permission(request, provider):
        raise PermissionDenied
    form = DecisionForm(request.POST if request.method == "POST" else None)
    page = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change", args=[pk])
    try:
        if request.method == "POST" and {"approve", "reject"} & set(request.POST) and form.is_valid():
            text = _decide(request, pk, form.cleaned_data["reason"])
            model_admin.log_change(request, provider, text)
            return redirect(page)
        proposal = api.get_metadata_proposal(identity_provider_id=pk)
    except DoesNotExist:
        if request.method != "POST":
            raise Http404 from None
        messages.warning(request, _("Nothing is proposed any more. Somebody else has decided, or it was withdrawn."))
        return redirect(page)
    except MetadataUnusable as error:
        messages.error(request, error.message)
        return redirect(request.path)
    context = form_page_context(model_admin=model_admin, request=request, form=form) | {
        "title": _("Proposed metadata of %s") % provider,
        "original": provider,
        "proposal": proposal,
        "now": timezone.now(),
    }
    return render(request, TEMPLATE, context)


def _decide(request: HttpRequest, pk: int, reason: str) -> str:
    """Carry out the decision, and return the message for the provider's history."""
    version = request.POST.get("version", "")
    if "approve" in request.POST:
        api.approve_metadata(identity_provider_id=pk, version=version)
        messages.success(request, _("The change is approved and counts at once. Let somebody sign on."))
        return _("Approved the published metadata: %s") % reason
    api.reject_metadata(identity_provider_id=pk, version=version, reason=reason, now=timezone.now())
    messages.success(request, _("The change is rejected. The same metadata is not proposed again."))
    return _("Rejected the published metadata: %s") % reason
