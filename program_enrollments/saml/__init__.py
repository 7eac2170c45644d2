"""Single sign-on with university credentials, for hosts without a SAML set-up of their own.

See docs/sso.rst, ADR 0008.

A host that uses it names `saml.backend.UniversitySAML` among its authentication backends and includes
`saml.urls`; any other host does neither, and nothing of it runs.
"""
