"""Signing on: the schools' identity providers, and the accounts opened by what they assert (ADR 0008)."""
