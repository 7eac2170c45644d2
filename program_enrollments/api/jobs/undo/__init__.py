"""Undo: a job that puts back what another one changed, read from the ledger (ADR 0028)."""
