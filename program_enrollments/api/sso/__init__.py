"""Single sign-on: the schools' identity providers, and the accounts that they open (ADR 0008)."""
