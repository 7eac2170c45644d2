"""What people fill in about their account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _


class SignUpForm(UserCreationForm):
    """A new account with a password. Anybody may give any address: it counts for nothing until it is confirmed."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We send a link to this address. Follow it to confirm that the address is yours."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    class Meta:
        model = User
        fields = ["username", "email"]


class EmailForm(forms.ModelForm):
    """Another e-mail address for an account."""

    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    class Meta:
        model = User
        fields = ["email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.pop("email", None)
        self.present_email = self.instance.email

    def clean_email(self) -> str:
        """Refuse the address that the account has already."""
        email: str = self.cleaned_data["email"]
        if email == self.present_email:
            raise forms.ValidationError(_("This is your address already. Enter another one."), code="unchanged")
        return email
