"""Single sign-on with university credentials, for hosts without a SAML set-up of their own.

A host that uses it adds `saml.backend.UniversitySAML` to its authentication backends and includes `saml.urls`. On any
other host, nothing of it runs. See docs/sso.rst and ADR 0008.
"""
