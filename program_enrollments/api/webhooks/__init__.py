"""Webhooks: a school's endpoints, and delivering the outbox to them (docs/webhooks.rst, ADR 0027)."""
