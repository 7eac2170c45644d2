"""The old path of the social-auth backend, which sessions that were begun with it name."""

from program_enrollments.saml.backend import UniversitySAML

__all__ = ["UniversitySAML"]
