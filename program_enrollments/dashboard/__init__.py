"""The dashboard: a learner's own programs, courses and data."""
