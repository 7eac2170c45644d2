"""The old name of `saml`: only what stands in people's sessions is kept here."""
