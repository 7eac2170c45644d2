"""Opaque tokens. The stand-in's token is the user's name."""

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request):
        kind, _, token = get_authorization_header(request).decode().partition(" ")
        if kind.lower() != "bearer":
            return None
        user = User.objects.filter(username=token, is_active=True).first()
        if user is None:
            raise AuthenticationFailed
        return user, token

    def authenticate_header(self, request):
        return 'Bearer realm="api"'
