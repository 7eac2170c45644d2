"""Pages of this admin: their addresses, and the context of pages with a form.

A page with a form belongs to no single row.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from program_enrollments.admin.large_tables import AnyModelAdmin


def change_page(site: AdminSite, instance: Model) -> str:
    """Return the path of a row's page. Raises NoReverseMatch if its model has none in this admin."""
    options = instance._meta
    return reverse(f"{site.name}:{options.app_label}_{options.model_name}_change", args=[instance.pk])


def viewable_page(site: AdminSite, request: HttpRequest, instance: Model) -> str:
    """Return the path of a row's page, or "" if it has none here or the viewer may not see it."""
    if not may_view(site, request, type(instance)):
        return ""
    try:
        return change_page(site, instance)
    except NoReverseMatch:
        return ""


def linked(text: str, url: str) -> str:
    """Return `text` as a link, or as it is if there is no page to go to."""
    return format_html('<a href="{}">{}</a>', url, text) if url else text


def may_view(site: AdminSite, request: HttpRequest, model: type[Model]) -> bool:
    """Return whether the viewer may see the rows of this model in this admin."""
    return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)


def form_page_context(*, model_admin: AnyModelAdmin, request: HttpRequest, form: forms.Form) -> dict[str, Any]:
    """Return the context in which a template shows `form` as a page of this model.

    The template extends admin/base_site.html.
    """
    # Both need only fields and errors of a form, but their stubs accept model forms alone.
    shown = cast("forms.ModelForm[Any]", form)
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "adminform": AdminForm(shown, [(None, {"fields": list(form.fields)})], {}, model_admin=model_admin),
        "errors": AdminErrorList(shown, []),
        "media": model_admin.media + form.media,
    }
