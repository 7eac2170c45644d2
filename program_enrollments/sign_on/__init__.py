"""The old name of `saml`, kept because people's sessions name its backend."""
