"""What a university would assert, filled in by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from demo_lms.sign_in.schools import fetch_sign_in_choices
from program_enrollments.models import IdentityProvider


class AssertionForm(forms.Form):
    """One person, as one university's identity provider would describe them."""

    idp = forms.ModelChoiceField(
        label=_("University"),
        queryset=IdentityProvider.objects.none(),
        to_field_name="slug",
        empty_label=None,
        help_text=_("The identity provider that speaks."),
    )
    remote_id = forms.CharField(
        label=_("Remote ID"),
        # As the university sends it: what is around it is not ours to cut off here.
        strip=False,
        help_text=_("The permanent ID, usually the student ID, such as student1."),
    )
    email = forms.EmailField(label=_("E-mail address"), max_length=254, required=False)
    full_name = forms.CharField(label=_("Name"), max_length=150, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["idp"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  (declared above; tells the type checker)
        field.queryset = fetch_sign_in_choices()
