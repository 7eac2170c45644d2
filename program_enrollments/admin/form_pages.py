"""Pages that ask something before anything is done: Django admin's look for forms that belong to no single row."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.http import HttpRequest

from program_enrollments.admin.large_tables import AnyModelAdmin


def asking_context(*, model_admin: AnyModelAdmin, request: HttpRequest, form: forms.Form) -> dict[str, Any]:
    """Return what a template that extends admin/base_site.html needs to show `form` as a page of this model."""
    # Both only ask for fields and errors; their stubs know forms of models alone.
    shown = cast("forms.ModelForm[Any]", form)
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "adminform": AdminForm(shown, [(None, {"fields": list(form.fields)})], {}, model_admin=model_admin),
        "errors": AdminErrorList(shown, []),
        "media": model_admin.media + form.media,
    }
