"""`make bench`: how fast the app is, beside what the bare driver does with the same tables (docs/scale.rst)."""
