"""The platform's SAML backend, from where an assertion has been checked."""

from social_core.backends.base import BaseAuth


class SAMLAuthBackend(BaseAuth):
    name = "tpa-saml"

    def get_user_id(self, details, response):
        return response["uid"]

    def get_user_details(self, response):
        return {"username": response["username"], "email": response["email"]}
