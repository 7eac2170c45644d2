"""The catalog: the local mirror of programs, their curricula and course runs (ADR 0004)."""
