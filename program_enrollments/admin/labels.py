"""Labels of controls that Django's admin leaves without a name for people who hear pages.

The fields of a table of inline forms have their names in the table's head only. Fields with suggestions get theirs in
the browser (`static/program_enrollments/admin.js`), because a script of Django's makes them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    AnyInlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
    AnyTabularInline = admin.TabularInline[Any, Any]
else:
    AnyInlineFormSet = forms.BaseInlineFormSet
    AnyTabularInline = admin.TabularInline


class LabeledInline(AnyTabularInline):
    """A table of inline forms in which each field has its own name."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        base = super().get_formset(request, obj, **kwargs)
        return type(base.__name__, (_LabelingFormSet, base), {})


class _LabelingFormSet(AnyInlineFormSet):
    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            if not field.widget.is_hidden:
                label = _("Delete") if name == DELETION_FIELD_NAME else field.label or name
                # A widget with buttons around it shows the attributes of the one within.
                widget: Any = getattr(field.widget, "widget", field.widget)
                widget.attrs.setdefault("aria-label", capfirst(str(label)))
