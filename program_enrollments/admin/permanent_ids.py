"""The attribute of the permanent ID, chosen on the page of a test sign-on and confirmed here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from social_django.models import UserSocialAuth

from program_enrollments.admin.large_tables import AnyModelAdmin
from program_enrollments.admin.pages import change_page, form_page_context
from program_enrollments.conf import get_setting
from program_enrollments.models import SamlConfiguration

TEMPLATE = "admin/university_enrollments/identityprovider/permanent_id.html"
PERMISSION = "university_enrollments.change_samlconfiguration"
MAX_NAME_LENGTH = SamlConfiguration._meta.get_field("id_attribute").max_length or 0


def choose_permanent_id(request: HttpRequest, *, model_admin: AnyModelAdmin) -> HttpResponse:
    """Show the attribute in use and the one that the address names. On POST, use that one."""
    slug, name = request.GET.get("slug", ""), request.GET.get("name", "")
    configuration = _find(slug) if name and len(name) <= MAX_NAME_LENGTH and "\x00" not in slug + name else None
    if configuration is None:
        raise Http404
    provider = configuration.identity_provider
    if not model_admin.has_change_permission(request, provider) or not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method == "POST":
        before, configuration.id_attribute = configuration.id_attribute, name
        configuration.save(update_fields=["id_attribute", "modified"])
        text = _("The permanent ID is read from %(name)s, and no longer from %(before)s.")
        model_admin.log_change(request, provider, text % {"name": name, "before": before})
        messages.success(request, _("The attribute counts at once. Let somebody sign on once more."))
        return redirect(change_page(model_admin.admin_site, provider))
    context: dict[str, Any] = form_page_context(model_admin=model_admin, request=request, form=forms.Form()) | {
        "title": _("Choose the permanent ID of %s") % provider,
        "original": provider,
        "present": configuration.id_attribute,
        "name": name,
        "is_used": UserSocialAuth.objects.filter(
            provider__in=get_setting("SAML_BACKENDS"), uid__startswith=f"{provider.slug}:"
        ).exists(),
    }
    return render(request, TEMPLATE, context)


def _find(slug: str) -> SamlConfiguration | None:
    found = SamlConfiguration.objects.filter(identity_provider__slug=slug).select_related("identity_provider__school")
    return next((each for each in found if each.identity_provider.slug == slug), None)
