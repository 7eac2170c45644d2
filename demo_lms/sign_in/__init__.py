"""Signing in with what a university asserts."""
