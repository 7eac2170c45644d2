"""The old path of the social-auth backend, which older sessions name."""

from program_enrollments.saml.backend import UniversitySAML

__all__ = ["UniversitySAML"]
