"""What people fill in about their account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import UserCreationForm
from django.utils.translation import gettext_lazy as _

from demo_lms.models.accounts import address_of


class SignUpForm(UserCreationForm):
    """A new account with a password. Anybody may give any address: it counts for nothing until it is confirmed."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We send a link to this address. Follow it to confirm that the address is yours."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    class Meta:
        model = get_user_model()
        fields = [model.USERNAME_FIELD]

    def clean_email(self) -> str:
        """Give the address to the account, in the field that the user model has for it."""
        return _give(self.instance, self.cleaned_data["email"])


class EmailForm(forms.Form):
    """Another e-mail address for an account."""

    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def __init__(self, *args: Any, user: AbstractBaseUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        """Refuse the address that the account has already."""
        email: str = self.cleaned_data["email"]
        if email == address_of(self.user):
            raise forms.ValidationError(_("This is your address already. Enter another one."), code="unchanged")
        return email

    def save(self) -> AbstractBaseUser:
        """Store the new address, and return the account."""
        _give(self.user, self.cleaned_data["email"])
        self.user.save()
        return self.user


def _give(user: AbstractBaseUser, email: str) -> str:
    setattr(user, user.get_email_field_name(), email)
    return email
