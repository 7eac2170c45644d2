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

from program_enrollments.admin.large_tables import AnyModelAdmin


def change_page(site: AdminSite, instance: Model) -> str:
    """Return the path of a row's page. Raises NoReverseMatch if its model has none in this admin."""
    options = instance._meta
    return reverse(f"{site.name}:{options.app_label}_{options.model_name}_change", args=[instance.pk])


def change_page_if_any(site: AdminSite, instance: Model) -> str:
    """Return the path of the page of a row, or "" if its model has no page here."""
    try:
        return change_page(site, instance)
    except NoReverseMatch:
        return ""


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
