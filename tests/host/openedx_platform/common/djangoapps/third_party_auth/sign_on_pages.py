"""A first sign-on through a university, in the platform's two requests, from where the assertion has been checked."""

import uuid

from common.djangoapps.student.models import Registration, UserProfile
from common.djangoapps.third_party_auth.saml import SAMLAuthBackend
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from social_django.utils import load_strategy


@transaction.non_atomic_requests
def register(request):
    """Make the account and commit; then activate it without a transaction, as the address was asserted."""
    with transaction.atomic():
        user = User(username=request.POST["username"], email=request.POST["email"], is_active=False)
        user.set_unusable_password()
        user.save()
        UserProfile.objects.create(user=user, name=request.POST["username"])
        registration = Registration.objects.create(user=user, activation_key=uuid.uuid4().hex)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    registration.activate()
    return HttpResponse("registered")


def complete(request):
    """Run social-auth's pipeline for whoever has registered, in the request's transaction."""
    backend = SAMLAuthBackend(load_strategy(request))
    details = {"uid": request.POST["uid"], "username": "", "email": ""}
    user = backend.strategy.authenticate(backend, response=details, user=request.user, request=request)
    assert isinstance(user, User), user
    login(request, user, backend="common.djangoapps.third_party_auth.saml.SAMLAuthBackend")
    return HttpResponse("signed on")
