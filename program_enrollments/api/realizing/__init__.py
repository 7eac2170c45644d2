"""Realizing: what was promised becomes real, at a sign-in or by a sweep, and the host is made to agree."""
