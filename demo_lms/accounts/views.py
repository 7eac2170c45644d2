"""Signing up, and confirming or changing the e-mail address. Signing in and out is Django's."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model, login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from demo_lms.accounts.confirmation import Confirmation, confirm_address, read_token, send_confirmation
from demo_lms.accounts.forms import EmailForm, SignUpForm
from demo_lms.models import EmailAddress
from demo_lms.models.primary import rows_of


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account, sign its owner in and mail a link that confirms the address."""
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        send_confirmation(user=user, request=request)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        messages.success(
            request, _("Your account is ready. Follow the link in the mail we sent to confirm your address.")
        )
        return redirect("dashboard")
    return render(request, "demo_lms/accounts/sign_up.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def email(request: HttpRequest) -> HttpResponse:
    """Show the account's address and whether it is confirmed; take another one, which then waits to be confirmed."""
    user = _account(request)
    form = EmailForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        changed = form.save()
        send_confirmation(user=changed, request=request)
        messages.success(request, _("Follow the link in the mail we sent to confirm the new address."))
        return redirect("email")
    address = rows_of(EmailAddress).filter(user=user).first()
    context = {"form": form, "address": address}
    return render(request, "demo_lms/accounts/email.html", context, status=400 if form.errors else 200)


@sensitive_post_parameters()
@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def keep_account(request: HttpRequest) -> HttpResponse:
    """Take a password for an account without one, so that its owner can sign on without the university."""
    user = _account(request)
    if user.has_usable_password():
        return redirect("email")
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("You can sign in with this password from now on. Check your address as well."))
        return redirect("email")
    address = rows_of(EmailAddress).filter(user=user).first()
    context = {"form": form, "address": address}
    return render(request, "demo_lms/accounts/keep.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def send_link(request: HttpRequest) -> HttpResponse:
    """Mail a link for the present address, unless it is confirmed already or there is none."""
    user = _account(request)
    if rows_of(EmailAddress).filter(user=user, verified_at__isnull=True).exists():
        send_confirmation(user=user, request=request)
        messages.success(request, _("We sent you a mail with a link. Follow it to confirm your address."))
    return redirect("email")


@never_cache
@require_http_methods(["GET", "POST"])
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a click, and confirm the address on it: programs that look at links in mails don't press buttons."""
    if request.method == "GET":
        address = read_token(token=token)
        return render(
            request,
            "demo_lms/accounts/confirm_email.html",
            {"address": address, "outcome": None if address else Confirmation.BAD_LINK.value},
            status=200 if address else 400,
        )
    outcome = confirm_address(token=token, now=timezone.now())
    if outcome is Confirmation.DONE:
        messages.success(request, _("Thank you. Your e-mail address is confirmed."))
        return redirect("dashboard")
    return render(request, "demo_lms/accounts/confirm_email.html", {"outcome": outcome.value}, status=400)


def _account(request: HttpRequest) -> Any:
    """Return the signed-in account as it is stored."""
    return get_user_model()._default_manager.get(pk=request.user.pk or 0)
